"""What is asked of the ledger, and what it answers: plain values, shared by every ledger.

One pair a transition; `docs/ledger.md` says what each means.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hysds.core.floor_requests import Announcement, Drain, Fit
from hysds.core.limit_keys import Limit, Rate
from hysds.core.queue_tallies import Pause
from hysds.core.record import FOREVER, Record
from hysds.core.status import Status

MAX_BATCH = 500
"""The most jobs that one atomic step touches."""

COMPLETED, FINISHED = "completed", "finished"
"""How the jobs that another comes after must end."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One job to accept. `spec` is its stored JSON; durations count from the ledger's acceptance of it."""

    id: str
    digest: str
    spec: str
    queue: str
    shape: str
    priority: int = 0
    wake_ms: int = 0
    """Wall ms before which the job may not start; 0: at once."""
    ttl_for_ms: int = 0
    """How long it may stand unclaimed; 0: without an end."""
    deadline_ms: int = 0
    """Wall ms at which the job ends whatever it does; 0: no such time."""
    deadline_for_ms: int = 0
    """The same as a duration from its acceptance; the earlier of both holds."""
    dedup: str = ""
    """Digest of what the job does; "": neither a duplicate of anything nor anything of it."""
    may_repeat: bool = False
    """`enable_dedup: false`: never a duplicate, and takes the key only if it is free."""
    twins: frozenset[Status] = frozenset()
    """In which states another job with the digest makes this one a duplicate."""
    window_ms: int = FOREVER
    retry_of: str = ""
    """The ended job that this one does again; its record then names this one as `retried_by`."""
    kind: str = ""
    """What runs it: "" a command, TASK a Python call, GROUP nothing, as it ends with its members."""
    parent: str = ""
    """The group that it is a member of; accepted before it in the same step."""
    members: int = 0
    """Of a group: how many members it has."""
    staged: int = 0
    """Of a group whose members come by `stage`: how many submissions, its members' own members too; 0: they follow in
    the same step."""
    after: tuple[str, ...] = ()
    """Jobs that must end before this one may start."""
    after_on: str = COMPLETED
    """How they must end: COMPLETED, or FINISHED for anyhow."""
    doomed: str = ""
    """One of the jobs that it comes after, which did not end as it must, and which the ledger has forgotten."""
    limits: tuple[Limit, ...] = ()
    """Keys under which it needs a place while it runs; it waits at the first that is full."""
    rates: tuple[Rate, ...] = ()
    """Keys of which each of its attempts needs a token."""
    lost_left: int = 2
    preempt_left: int = FOREVER


class Accepting(StrEnum):
    """How the ledger took one submission."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    DEDUPED = "deduped"
    CONFLICT = "conflict"
    TOO_OLD = "too-old"
    FULL = "full"
    NOT_ENDED = "not-ended"
    """The job named by `retry_of` has not ended."""
    NO_PARENT = "no-parent"
    """Its group takes no members: unknown, ended, cancelled, not sealed, or full."""
    NO_DEPENDENCY = "no-dependency"
    """It comes after a job that the ledger does not know; `twin` names it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """To one acceptance. `twin`: the job that stands for a duplicate; of one that was forced, the job that would have.

    `status` is the job's own; after a conflict or `not-ended` that of the job which stands in its way.
    """

    how: Accepting
    status: str = ""
    twin: str = ""
    twin_status: str = ""


class Staging(StrEnum):
    """What became of a stage or a seal."""

    STAGED = "staged"
    SEALED = "sealed"
    """It is; also where it was before."""
    INCOMPLETE = "incomplete"
    """Not all has been staged: nothing was sealed. Or what came does not follow what was staged: nothing was taken."""
    CONFLICT = "conflict"
    """Another submission was staged at that place: nothing was taken."""
    MISSING = "missing"
    """No such group."""
    ENDED = "ended"
    """It was aborted, cancelled, or a job that it came after did not end as it must."""
    FULL = "full"
    """The queue holds ready jobs of too many shapes."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A queue that a step made ready: how many jobs, how many of them no idle worker was woken for, who hears it."""

    queue: str
    jobs: int
    unheard: int
    hearers: int


@dataclass(frozen=True, slots=True)
class Accepted:
    answers: tuple[Answer, ...]
    ready: tuple[Ready, ...]


@dataclass(frozen=True, slots=True)
class Bid:
    """A worker's wish for a job. A nonce names the wish: repeated until answered, it yields one lease."""

    worker: str
    queues: tuple[str, ...]
    fit: Fit
    nonce: str
    lease_ms: int
    reserve_after_ms: int
    """How old a head that fits only the empty host must be before the host is kept free for it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed job: its record as of the claim, its spec's JSON."""

    record: Record
    spec: str


@dataclass(frozen=True, slots=True)
class Head:
    """The best ready job that did not fit."""

    id: str
    shape: str
    age_ms: int


@dataclass(frozen=True, slots=True)
class Claimed:
    lease: Lease | None = None
    unknown: tuple[str, ...] = ()
    """Shapes with ready work that the bid did not name."""
    head: Head | None = None
    more: bool = False
    """Whether ready work is left in shapes that fitted: with room for it, bid again."""
    drain: Drain | None = None
    """Why a drained worker gets nothing, whatever is ready; a lease beside it was won by its nonce before."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as its holder lists it, with where the job is."""

    id: str
    fence: int
    phase: str = ""
    progress: str = ""


@dataclass(frozen=True, slots=True)
class Renewal:
    worker: str
    announcement: Announcement
    held: tuple[Held, ...]
    given_up: tuple[str, ...]
    """Nonces whose answer never came and that are no longer asked for: their leases go back."""
    lease_ms: int
    announce_ms: int
    """How long the announcement stands on the ledger's clock; longer than a lease."""


class Standing(StrEnum):
    """What became of a lease, told at its renewal."""

    OK = "ok"
    LOST = "lost"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Renewed:
    standings: tuple[Standing, ...]
    """One for each lease held, in order."""
    unlisted: tuple[tuple[str, int], ...]
    """(id, fence) of this worker's leases that it did not list."""
    ready: bool
    """Whether an unpaused queue of the worker has ready work that fits what is free."""
    unknown: tuple[str, ...]
    woken: tuple[Ready, ...] = ()
    """Queues made ready by leases that went back."""
    drain: Drain | None = None
    """The order that stands for the worker's name: repeated until it is taken back."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The end of an attempt, and what comes next; `core.retry` decided that."""

    id: str
    fence: int
    status: Status
    """Where to: completed, failed, revoked, queued or waiting."""
    reason: str = ""
    """The failure class; "" after a success."""
    fails: str = ""
    wake_ms: int = 0
    detail: str = ""
    """JSON of the attempt: exit code, error, metrics, phases."""
    shape: str = ""
    """What the next attempt needs of its host; "": what this one did."""
    memory_bytes: int = 0
    """The next attempt's memory limit; 0: this one's."""


class Committing(StrEnum):
    DONE = "done"
    AGAIN = "again"
    LOST = "lost"
    NOT_ASKED = "not-asked"
    """A revocation that nobody asked for."""
    TOO_LATE = "too-late"
    """A next attempt beyond the job's deadline."""


@dataclass(frozen=True, slots=True)
class Committed:
    how: Committing
    status: str = ""
    """Where the job stands now; a cancel turns what is not completed into revoked."""
    claimed: Claimed | None = None
    ready: tuple[Ready, ...] = ()


SAME = "same"
"""The answer about a job that is as it was asked to become: nothing was written."""

DAMAGED = "damaged"
"""The answer about a job whose record can't be read, as something else than a ledger wrote there."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a step did to each job it was asked for: the new status, or why not: `missing`, `ended`, `lost`, SAME,
    DAMAGED."""

    answers: tuple[tuple[str, str], ...]
    ready: tuple[Ready, ...] = ()
    more: bool = False
    """Whether work of this kind was left for the next call."""


@dataclass(frozen=True, slots=True)
class Purge:
    """A job to be taken out for good. `dedup`: its digest, for a job whose record is forgotten: its key may stand."""

    id: str
    dedup: str = ""


class Purging(StrEnum):
    """What a purge did to one job."""

    PURGED = "purged"
    MISSING = "missing"
    """There is no record; a key that stood for the job is gone now."""
    LIVE = "live"
    """It has not ended."""
    UNWRITTEN = "unwritten"
    """Its last document is not in the store yet."""
    AWAITED = "awaited"
    """Its end has not reached all jobs yet that wait for it."""
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Purged:
    """The answer to one. `status`: where the job stood; `revision`: its last, which no document may exceed."""

    how: Purging
    status: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One transition as the stream tells it."""

    id: str
    revision: int
    fence: int
    status: str
    step: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a queued job stands."""

    ahead: int
    """Ready jobs of its queue, of all shapes, that come before it."""
    ready: int
    """All ready jobs of its queue, itself among them."""
    pause: Pause | None = None
    reserved_by: str = ""
    """The worker that keeps its host free for it; "": none."""

    @property
    def paused(self) -> bool:
        return self.pause is not None
