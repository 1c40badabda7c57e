"""What an explanation of a job consists of, and what it is made from: values alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hysds.core import moments
from hysds.core.decisive_lines import Decisive
from hysds.core.explanation.takers import Taker
from hysds.core.floor_requests import WorkerState
from hysds.core.limit_keys import LimitState
from hysds.core.record import Record
from hysds.core.requests import Place
from hysds.lib import units


class Reason(StrEnum):
    """Why a job stands where it stands; each has exactly one."""

    # queued
    NEXT = "next"
    """A worker that fits is free."""
    BEHIND_OTHERS = "behind-others"
    """Workers that fit are free, and other jobs come first."""
    WORKERS_BUSY = "workers-busy"
    HOST_KEPT_FOR_IT = "host-kept-for-it"
    HOSTS_KEPT_FOR_OTHERS = "hosts-kept-for-others"
    QUEUE_PAUSED = "queue-paused"
    NO_WORKER = "no-worker"
    WORKERS_SILENT = "workers-silent"
    WORKERS_DRAINING = "workers-draining"
    NO_WORK_DIRECTORY = "no-work-directory"
    """The workers that are there can't reach the directories in which jobs would work."""
    TOO_LARGE = "too-large"
    # waiting
    NOT_BEFORE = "not-before"
    RETRY_DELAY = "retry-delay"
    LIMIT = "limit"
    """As many jobs as may run at once under one of its keys do."""
    RATE = "rate"
    """As many jobs as may start in a time under one of its keys have."""
    AFTER = "after"
    """Jobs that it comes after have not ended."""
    MEMBERS = "members"
    """A group, whose members have not all ended."""
    STAGED = "staged"
    """A group, whose members have not all been handed in."""
    # queued, waiting or started
    RECONCILER_SILENT = "reconciler-silent"
    """A time has come, and nobody acted upon it."""
    # started
    RUNNING = "running"
    CANCELLING = "cancelling"
    WORKER_SILENT = "worker-silent"
    # ended
    COMPLETED = "completed"
    FAILED = "failed"
    REFUSED = "refused"
    EXPIRED = "expired"
    """Its ttl or deadline came before it was started (again)."""
    REVOKED = "revoked"
    DUPLICATE = "duplicate"
    DEPENDENCY = "dependency"
    """A job that it was to come after did not end as it must."""
    MEMBERS_FAILED = "members-failed"
    ABORTED = "aborted"
    """A group, whose members were not all handed in."""
    # not in the ledger
    LOST_BY_LEDGER = "lost-by-ledger"
    """The store shows a live job that the ledger does not know."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Terms:
    """The moment, and what the settings say of the times that matter. `now_ms` is the ledger server's wall clock."""

    now_ms: int
    lease_ms: int
    renew_ms: int
    stop_grace_ms: int
    drain_timeout_ms: int
    retention_ms: int
    default_time_limit_s: float
    time_limit_gap_s: float

    def ago(self, then_ms: int) -> str:
        """How long ago, for people."""
        return span(self.now_ms - then_ms)

    def at(self, then_ms: int) -> str:
        """A time to come, for people: when, and in how long."""
        left = then_ms - self.now_ms
        return f"{moments.iso(then_ms)} ({f'in {span(left)}' if left > 0 else 'now'})"


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen of one job at one moment.

    `record` of None: the ledger does not know it (any more); `document` of None: the store doesn't either. `twin` is
    the document of the job that stands for a duplicate.
    """

    id: str
    document: Mapping[str, Any] | None
    record: Record | None = None
    place: Place | None = None
    workers: tuple[WorkerState, ...] = ()
    twin: Mapping[str, Any] | None = None
    others: tuple[Mapping[str, Any], ...] = ()
    """The documents of the jobs that it comes after, as far as they are known."""
    limit: LimitState | None = None
    """What stands under the key of the limit or rate for which it waits."""


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that will happen, or may. `at_ms`: when, 0 where no time is known."""

    what: str
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Why:
    """The reason and its sentence; `advice` is what somebody can do, in the order of usefulness."""

    reason: Reason
    sentence: str
    advice: tuple[str, ...] = ()
    coming: tuple[Coming, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a job stands where it stands, and what happens next. `status` is "" where nobody knows the job."""

    id: str
    status: str
    why: Why
    queue: str = ""
    place: Place | None = None
    """Of a queued job."""
    takers: tuple[Taker, ...] = ()
    """Of a queued job: all workers, those that could take it first."""
    failure: Mapping[str, Any] = field(default_factory=dict)
    """Of a failed one: `class phase exit_code signum error hint`, those that there are."""
    decisive: Decisive = field(default_factory=Decisive)
    attempts: tuple[Mapping[str, Any], ...] = ()
    """Those that ended, as the document lists them, the oldest first."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Where it comes from: the jobs `parent retry_of retried_by dedup_job`, `schedule` and `schedule_time`; those that
    there are."""


def span(duration_ms: int) -> str:
    """A duration for people, to the second; a negative one is none."""
    return units.format_duration(max(duration_ms, 0) // 1000)


def part(document: Mapping[str, Any], *path: str) -> Any:
    """What stands at a path of a document; None where nothing does."""
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def text(document: Mapping[str, Any], *path: str) -> str:
    """The text at a path of a document; "" where there is none."""
    value = part(document, *path)
    return value if isinstance(value, str) else ""


def entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The attempts of a document, the oldest first."""
    listed = document.get("attempts")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list | tuple) else []
