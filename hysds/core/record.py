"""What the ledger keeps of one job, and the places among its sets that follow from that.

A record says everything about where its job stands: every index of the ledger (ready, due, lease) is a function of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hysds.core.generations import FIRST
from hysds.core.status import Status

FOREVER = -1
"""A window, a budget without an end."""

GROUP, TASK = "group", "task"
"""Kinds of jobs; "" is a command."""

MEMBERS, STAGED, AFTER = "members", "staged", "after"
"""Why a job waits without a time: a group for its members, or for the rest of them; a job for others to end."""

PRIORITY_STEP = 1 << 43
"""Between two priorities in a ready score; above every ms since 1970 until the year 2248, and 10 of it below 2^53."""


@dataclass(frozen=True, slots=True)
class Record:
    """One job. Times are wall-clock ms since 1970 unless named otherwise; 0 and "" mean *none*."""

    id: str
    status: Status
    revision: int
    """A hybrid clock in µs: grows with every change that anybody can see."""
    digest: str
    """Of the spec: tells a repeated submission from another job with the same id."""
    queue: str
    shape: str
    priority: int
    kind: str = ""
    """What runs it: "" a command, TASK a Python call, GROUP nothing, as it ends with its members."""
    parent: str = ""
    """The group that it is a member of."""
    depth: int = 0
    """How many groups it is in, one in the other."""
    kids: str = ""
    """A group's sums as its document shows them (`core.kin.sums`); the ledger's own are up to a second newer."""
    after_left: int = 0
    """For how many other jobs to end it waits."""
    after_finished: bool = False
    """Whether they need only end; else each must complete."""
    lost_left: int = 0
    """How many more leases may run out before the job fails."""
    preempt_left: int = FOREVER
    fence: int = 0
    """Of the latest claim; a hybrid clock in µs. Compared for equality, never for order."""
    committed: int = 0
    """The fence of the latest commit: a repeat of it is answered `again`."""
    owner: str = ""
    """The incarnation of the worker that holds the lease, while started."""
    nonce: str = ""
    claims: int = 0
    fails: str = ""
    """Failed attempts by class, as `retry.encode` writes them; `core.retry` decides from it."""
    cancel: bool = False
    suspect: bool = False
    """Its lease is half run out: shown as `job-offline`."""
    phase: str = ""
    progress: str = ""
    """Fraction and message as the command wrote them, cut to 64 bytes."""
    reason: str = ""
    """While waiting: for what (`time`, AFTER, MEMBERS, STAGED). At a failure: its class. At a revocation: who asked,
    or `dependency <id>`, `aborted`."""
    accepted_ms: int = 0
    ready_ms: int = 0
    """When the job first became ready; release, expiry and amend keep it, so it keeps its place."""
    wake_ms: int = 0
    ttl_ms: int = 0
    """When an unclaimed job ends; cleared by the first claim."""
    deadline_ms: int = 0
    lease_ms: int = 0
    """When the lease runs out, on the *ledger's* clock."""
    lease_for_ms: int = 0
    """How long it was asked for at the claim or the latest renewal: with less than half of that left the owner is
    silent."""
    started_ms: int = 0
    """The latest claim."""
    ended_ms: int = 0
    dedup: str = ""
    """The digest whose key this job asked for, held or not."""
    window_ms: int = 0
    """How long the key stands for the completed job; FOREVER without an end."""
    dedup_job: str = ""
    """For a duplicate: the job that stands for it, and that job's status then."""
    dedup_status: str = ""
    retry_of: str = ""
    retried_by: str = ""
    """The latest job that was accepted to do this ended one again."""
    memory_bytes: int = 0
    """The memory limit of the next attempt, where an earlier one ran out of it; 0: the spec's."""
    generation: int = FIRST
    """The store's index generation that the document was born in."""
    limits: str = ""
    """The keys under which it needs a place, and how many there are, as `limit_keys` writes them."""
    rates: str = ""
    """The keys of which it needs a token, likewise."""
    reserved_by: str = ""
    """The worker that keeps its host free for this job, until `reserved_ms` on the ledger's clock."""
    reserved_ms: int = 0
    confirmed: bool = False
    """The store holds the document of the last revision."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One claim's end, as the document lists it. `detail` is the worker's JSON, "" where no worker could tell."""

    fence: int
    owner: str
    started_ms: int
    ended_ms: int
    how: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """In which of the ledger's sets a record must stand, with its score there; None: in none."""

    ready: tuple[str, str, int] | None = None
    """(queue, shape, score)"""
    due: int | None = None
    """Wall ms: the earliest of wake-up, ttl, deadline."""
    lease: int | None = None
    """Ledger ms."""


def placement(record: Record) -> Placement:
    """Where the record stands: exactly one of ready, due (waiting) and lease holds a live job, but for one that waits
    for other jobs: no time makes that ready."""
    if record.status is Status.QUEUED:
        return Placement(
            ready=(record.queue, record.shape, ready_score(record)), due=_earliest(record, wake=False)
        )
    if record.status is Status.WAITING:
        return Placement(due=_earliest(record, wake=record.after_left == 0))
    if record.status is Status.STARTED:
        return Placement(lease=record.lease_ms)
    return Placement()


def ready_score(record: Record) -> int:
    """The rank among ready jobs, smaller first: priority (10 first), then when it first became ready."""
    return (10 - record.priority) * PRIORITY_STEP + record.ready_ms


def overdue(record: Record, now_ms: int) -> bool:
    """Whether an unclaimed job is past its ttl or deadline."""
    return 0 < record.ttl_ms <= now_ms or 0 < record.deadline_ms <= now_ms


def half_over(record: Record, clock_ms: int) -> bool:
    """Whether less than half is left of a lease, at most, at `clock_ms` of the ledger's clock."""
    return record.lease_ms - record.lease_for_ms // 2 <= clock_ms


def _earliest(record: Record, wake: bool) -> int | None:
    times = [ms for ms in (record.ttl_ms, record.deadline_ms, record.wake_ms if wake else 0) if ms]
    return min(times) if times else None


def worker_name(incarnation: str) -> str:
    """Celery's name of a worker: its incarnation up to the first slash."""
    return incarnation.partition("/")[0]


def shown_status(record: Record) -> str:
    """The status as documents show it."""
    if record.status is Status.STARTED and record.suspect:
        return "job-offline"
    return record.status.value
