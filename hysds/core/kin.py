"""What ties jobs together: groups with their members, and jobs that wait for others to end.

A group's sums follow its members in the same step; what a step has no room for is a *chore*, an entry with a time on
the ledger's clock, which `settle` works off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hysds.core.record import AFTER, GROUP, MEMBERS, STAGED, Record
from hysds.core.requests import Acceptance
from hysds.core.status import Status

ROOM = 100
"""How many jobs more than it was asked for a step touches: dependents that it frees, members that it cancels."""
STAGING_MS = 300_000
"""How long after its latest stage a group may stand unsealed."""
TELL_MS = 1_000
"""Between two revisions of a group for its sums."""


class Class(StrEnum):
    """Where a member stands, as its group counts it."""

    QUEUED = "queued"
    """Ready or waiting; at first all, those too that have not entered."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REVOKED = "revoked"
    DEDUPED = "deduped"


_CLASSES = {
    Status.QUEUED: Class.QUEUED,
    Status.WAITING: Class.QUEUED,
    Status.STARTED: Class.RUNNING,
    Status.COMPLETED: Class.DONE,
    Status.FAILED: Class.FAILED,
    Status.REVOKED: Class.REVOKED,
    Status.DEDUPED: Class.DEDUPED,
}


def class_of(record: Record) -> Class:
    """How a group counts this member."""
    return _CLASSES[record.status]


class Chore(StrEnum):
    """What `settle` has to do for a job, from a time on the ledger's clock on."""

    ABORT = "abort"
    """The group was not sealed in time."""
    CANCEL = "cancel"
    """Of a cancelled group there are members left to cancel."""
    ENTER = "enter"
    """Of a sealed group there are staged members left to take in."""
    FREE = "free"
    """Of an ended job there are dependents left."""
    TELL = "tell"
    """The group's sums changed less than TELL_MS after its last revision for them."""


@dataclass(frozen=True, slots=True)
class Kids:
    """The sums of one live group. The six classes add up to `total`."""

    total: int
    queued: int
    """Those too that have not entered."""
    staged: int = 0
    """How many submissions must have been staged when it is sealed: its members, and their members; 0: none."""
    entered: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    revoked: int = 0
    deduped: int = 0
    told_ms: int = 0
    """When its document last changed for the sums, on the ledger's clock."""

    @property
    def is_over(self) -> bool:
        return self.queued + self.running == 0

    def moved(self, before: Class, after: Class, count: int = 1) -> Kids:
        """The sums when so many members went from one class to another."""
        if before is after:
            return self
        down, up = getattr(self, before.value) - count, getattr(self, after.value) + count
        return replace(self, **{before.value: down, after.value: up})

    def text(self) -> str:
        """As a record keeps them, below 64 bytes: all, then the classes in their order."""
        sums = (self.total, self.queued, self.running, self.done, self.failed, self.revoked, self.deduped)
        return " ".join(str(number) for number in sums)


def sums(text: str) -> dict[str, int]:
    """What `Kids.text` wrote, by name, the total first; {} for ""."""
    names = ("total", *(each.value for each in Class))
    return dict(zip(names, map(int, text.split()), strict=True)) if text else {}


@dataclass(slots=True)
class Kin:
    """All ties of one ledger. A group that ended has nothing here, a job that ended at most dependents."""

    kids: dict[str, Kids] = field(default_factory=dict)
    members: dict[str, dict[str, bool]] = field(default_factory=dict)
    """The live members of a group; True: it was cancelled with its group."""
    staged: dict[str, list[Acceptance]] = field(default_factory=dict)
    """What a group is to take in once it is sealed, in order."""
    dependents: dict[str, set[str]] = field(default_factory=dict)
    """Who waits for a job's end."""
    chores: dict[tuple[Chore, str], int] = field(default_factory=dict)
    """From when on (ledger ms) something is to be done for an id."""
    ended: list[str] = field(default_factory=list)
    """Jobs that this step ended and others wait for."""
    stirred: list[str] = field(default_factory=list)
    """Groups whose sums this step changed."""
    room: int = ROOM
    """What is left of this step's."""

    def due(self, clock_ms: int) -> Iterator[tuple[Chore, str]]:
        """Chores whose time has come, the oldest first."""
        over = sorted((ms, *key) for key, ms in self.chores.items() if ms <= clock_ms)
        return ((chore, id) for _, chore, id in over)

    def first_staged(self, id: str, most: int) -> list[Acceptance]:
        """Take what comes next out of a group's stage."""
        line = self.staged.get(id, [])
        taken, line[:] = line[:most], line[most:]
        if not line:
            self.staged.pop(id, None)
        return taken

    def enters(self, record: Record) -> None:
        """A member stands in the ledger, or ended at birth."""
        kids = self.kids.get(record.parent)
        if kids is None:
            return
        self._count(record.parent, replace(kids, entered=kids.entered + 1), Class.QUEUED, class_of(record))
        if not record.status.is_terminal:
            self.members.setdefault(record.parent, {})[record.id] = False

    def miscarries(self, parent: str) -> None:
        """A member can never stand in the ledger: its id is another job's."""
        kids = self.kids.get(parent)
        if kids is not None:
            self._count(parent, replace(kids, entered=kids.entered + 1), Class.QUEUED, Class.FAILED)

    def moves(self, old: Record, new: Record) -> None:
        """A record changed."""
        if new.status.is_terminal and not old.status.is_terminal:
            if new.id in self.dependents:
                self.ended.append(new.id)
            self._leave(new)
        kids = self.kids.get(new.parent)
        if kids is not None:
            self._count(new.parent, kids, class_of(old), class_of(new))

    def drop_staged(self, group: str) -> None:
        """The members that have not entered never do; they count as revoked."""
        self.staged.pop(group, None)
        self.chores.pop((Chore.ABORT, group), None)
        self.chores.pop((Chore.ENTER, group), None)
        kids = self.kids.get(group)
        if kids is not None:
            left = kids.total - kids.entered
            self._count(group, replace(kids, entered=kids.total), Class.QUEUED, Class.REVOKED, left)

    def forget(self, id: str) -> None:
        """A record is gone."""
        for shelf in (self.kids, self.members, self.staged):
            shelf.pop(id, None)

    def _leave(self, ended: Record) -> None:
        siblings = self.members.get(ended.parent)
        if siblings is not None:
            siblings.pop(ended.id, None)
            if not siblings:
                del self.members[ended.parent]
        if ended.kind == GROUP:
            self.forget(ended.id)
            for chore in (Chore.ABORT, Chore.CANCEL, Chore.ENTER, Chore.TELL):
                self.chores.pop((chore, ended.id), None)

    def _count(self, parent: str, kids: Kids, before: Class, after: Class, count: int = 1) -> None:
        """The group's sums follow its members; whether it ends, or is told of, is looked at later in the step."""
        self.kids[parent] = kids.moved(before, after, count)
        if (before is not after and count) or self.kids[parent].is_over:
            self.stir(parent)

    def stir(self, group: str) -> None:
        if group not in self.stirred:
            self.stirred.append(group)


def may_join(parent: Record | None, kin: Kin) -> bool:
    """Whether the group takes a member in: sealed, alive, and not all of its members have entered."""
    if parent is None or parent.kind != GROUP or parent.cancel or parent.reason != MEMBERS:
        return False
    kids = kin.kids.get(parent.id)
    return kids is not None and kids.entered < kids.total


def is_sealed(group: Record) -> bool:
    """Whether all of a live group's members have been handed in."""
    return group.reason in (AFTER, MEMBERS)


def is_unsealed(group: Record) -> bool:
    """Whether members of a live group may still be staged."""
    return group.status is Status.WAITING and group.reason == STAGED
