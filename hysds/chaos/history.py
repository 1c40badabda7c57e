"""What happened in a run, as values: what was asked, what the ledger told, what the jobs did, what was left.

A history is judged by `hysds.chaos.checker`. Whoever records one fills in what there was; each field says what its
absence means. Times are µs: `wall_us` since 1970, `boot_us` on the boot-time clock (`CLOCK_BOOTTIME`), which all
processes of a host share and nobody can set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hysds.core.generations import FIRST
from hysds.core.limit_keys import Limit
from hysds.core.record import FOREVER
from hysds.core.status import OFFLINE, Status
from hysds.ports.events import Entry


class Mark(StrEnum):
    """What a line of an effects file says.

    `FAIL`: the attempt is about to fail on purpose. `STRAY`: of a process that its job left behind, no part of a whole.
    """

    BEGIN = "begin"
    STEP = "step"
    END = "end"
    FAIL = "fail"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that one attempt did outside of HySDS. `number`: which step, from 1; 0 for the others."""

    id: str
    fence: int
    mark: Mark
    number: int
    boot_us: int
    wall_us: int
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A job as it was asked for.

    `told`: what the submitter was answered (`accepted`, `repeated`, `deduped`, …); "": no answer came, so the job may
    exist or not. `steps`: how many steps an attempt that succeeds leaves; None: the job leaves no effects.
    `ends`: the statuses that it may end with; empty: any. `cancel`: what its cancel was answered (`job-started`,
    `job-revoked`, `ended`, `missing`); "": none was asked, or no answer came.
    """

    id: str
    told: str = "accepted"
    steps: int | None = None
    ends: frozenset[Status] = frozenset()
    digest: str = ""
    """Its dedup digest; "": it is nobody's twin."""
    forced: bool = False
    """`enable_dedup: false`, or a `retry_of`: it runs beside its twins."""
    cancel: str = ""
    limits: tuple[Limit, ...] = ()
    """Under which keys it needs a place."""
    oldest: int = FIRST
    """The generations of the store's indices below this one were given up before it was asked for."""


class Call(StrEnum):
    """What a worker asked, or (`NOTICE`) was told unasked."""

    CLAIM = "claim"
    RENEW = "renew"
    COMMIT = "commit"
    RELEASE = "release"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker was told of one lease.

    `said`: for a claim "", or `drained` where an order stood for the worker and the bid had won nothing before it; for
    a renewal `ok`, `lost` or `cancel`; for a commit `done`, `again`, `lost` …; for a release the new status or `lost`;
    for a notice `lost` or `cancel`. `after`: the position of the newest event when the answer came; the call's own
    event included.
    """

    call: Call
    worker: str
    id: str
    fence: int
    said: str
    after: str
    nonce: str = ""
    """Of a claim."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An attempt as a document lists it. `how`: `job-completed`, a failure class, `worker-lost`, `released` …"""

    fence: int
    how: str


@dataclass(frozen=True, slots=True)
class Document:
    """What the store (or the ledger, where a run has no store) shows of a job at the end."""

    id: str
    revision: int
    status: str
    fence: int = 0
    attempts: tuple[Listed, ...] = ()
    """Ended ones, oldest first; documents list the newest 50."""
    dedup_job: str = ""
    generation: int = FIRST


class Kind(StrEnum):
    """What can be left behind."""

    PROCESS = "process"
    KEY = "key"
    DIRECTORY = "directory"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that should be gone. `id` and `fence` say whose it is, where that is known."""

    kind: Kind
    what: str
    id: str = ""
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which conditions the run must keep its promises.

    `may_undo`: a failover or a power loss may have undone acknowledged writes; then an event may follow from any
    earlier state of its job, and an ended job may run again. `one_clock`: the wall clock of effects is that of the
    ledger's server and never jumped; else effects are compared with each other alone, on the boot-time clock.
    `excused`: leases (id, fence) whose keeper was stopped: their processes may live on beside a successor.
    """

    may_undo: bool = False
    one_clock: bool = True
    excused: frozenset[tuple[str, int]] = frozenset()
    dedup_window_ms: int = FOREVER


@dataclass(frozen=True, slots=True)
class History:
    """All of a run.

    `events`: the whole stream in its order, each entry once. `documents`: by id; None: there was nothing to read them
    from. `effects`: those of one job in the order in which they were written. `answers`: in the order in which they
    came, as far as workers told them.
    """

    asked: tuple[Asked, ...]
    events: tuple[Entry, ...]
    effects: tuple[Effect, ...] = ()
    documents: Mapping[str, Document] | None = None
    answers: tuple[Answer, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    terms: Terms = field(default_factory=Terms)


def status_of(entry: Entry) -> Status:
    """The status that an event leads to; a started job that is shown as offline is started."""
    shown = entry.event.status
    return Status.STARTED if shown == OFFLINE else Status(shown)


def order(position: str) -> tuple[int, ...]:
    """A position of the stream as something that compares."""
    return tuple(int(part) for part in position.split("-"))
