"""What is wrong with a running system, by values alone: each watchdog looks at one thing and answers its troubles.

A trouble has a key, the same at each look for as long as it is the same trouble; `alarms` makes of that what people
are told. A watchdog answers at most MOST_TROUBLES, the worst first: a system where everything is late needs no list.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hysds.core.queue_tallies import QueueTally
from hysds.lib import units
from hysds.lib.units import counted

MOST_TROUBLES = 100
LEAST_SAMPLES = 5
"""Of a type with fewer completed jobs nobody knows what is usual."""
_USUAL_QUANTILE = 0.9
_FULL = "give the server more memory (maxmemory), or look what fills it: hysds doctor"


class Kind(StrEnum):
    """What is watched."""

    QUEUE_STUCK = "queue-stuck"
    """A job is ready for too long, and its queue is not paused."""
    WORKER_SILENT = "worker-silent"
    """A worker was not heard of, and did not say that it leaves."""
    WORKER_FAILING = "worker-failing"
    """Failures in a row that speak against the worker: it is drained."""
    JOB_OVERDUE = "job-overdue"
    """A job runs far longer than jobs of its type use to."""
    DISK_LOW = "disk-low"
    """The disk of a worker's work directories is nearly full."""
    INDEXER_BEHIND = "indexer-behind"
    """Documents are far behind the ledger, or no indexer works."""
    STORE_AWAY = "store-away"
    """The store does not answer."""
    RULES_BEHIND = "rules-behind"
    """Rules are far behind, so that the ledger must keep events."""
    LEDGER_FULL = "ledger-full"
    """The memory of the ledger's server is nearly used up."""
    TYPE_MISSING = "type-missing"
    """No job of a type completed within its period."""


_IDLE_MS = 15_000
"""Indexers sign the roster each 5 s while they reach everything."""
_LONGEST_REASON = 300
_READERS = {
    Kind.INDEXER_BEHIND: (
        "indexer",
        "look whether the store answers (hysds doctor), or start more: hysds indexer",
    ),
    Kind.RULES_BEHIND: ("rules", "events are kept for them; start one: hysds worker orchestrator"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. `subject` is what it is about (a queue, a worker, a job), `what` a sentence's end."""

    kind: Kind
    subject: str
    what: str
    hint: str = ""
    worker: str = ""
    """The worker that it is about, "" where it is about none."""
    job: str = ""
    episode: str = ""
    """Tells two troubles of one subject apart that come one after the other."""

    @property
    def key(self) -> str:
        """The same at each look."""
        return " ".join(part for part in (self.kind.value, self.subject, self.episode) if part)


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where on something is wrong. Times are ms."""

    queue_age_ms: int = 3_600_000
    silence_ms: int = 30_000
    """Never more than three quarters of the time for which the ledger knows of a silent worker."""
    failures: int = 10
    failing_percent: int = 50
    """Of the workers that stand, no more are drained by this watchdog at once; one always may be."""
    overdue_factor: int = 3
    overdue_least_ms: int = 1_800_000
    disk_low_bytes: int = 5 * 10**9
    behind: int = 10_000
    """Events."""
    memory_percent: int = 80


def queues(
    tallies: Iterable[QueueTally], heard: Collection[str], now_ms: int, bounds: Bounds
) -> list[Trouble]:
    """Queues whose oldest ready job waits for too long. `heard`: those that a standing worker takes jobs of."""
    late = [
        (now_ms - one.oldest_ms, one)
        for one in tallies
        if one.ready and one.oldest_ms and one.pause is None and now_ms - one.oldest_ms > bounds.queue_age_ms
    ]
    late.sort(key=lambda pair: -pair[0])
    return [
        Trouble(
            Kind.QUEUE_STUCK,
            f"queue {one.queue}",
            f"is stuck: its oldest job has been ready for {lasting(age_ms)}; {counted(one.ready, 'job')} ready, "
            f"{one.running} running",
            "more workers, or higher priority: hysds queues"
            if one.queue in heard
            else f"no worker hears it; start one: hysds worker job --queues {one.queue}",
        )
        for age_ms, one in late[:MOST_TROUBLES]
    ]


@dataclass(frozen=True, slots=True)
class Running:
    """A job that runs, on which worker, and since when (wall ms)."""

    id: str
    type: str
    worker: str
    since_ms: int


def usual_ms(durations_s: Iterable[float], factor: int) -> int | None:
    """From where on a job of a type runs too long, by how long others of the type took that completed: so many times
    what nine of ten needed. None: too few are known.

    A quantile that is never the longest, as one job that hung for a day must not make days usual.
    """
    sound = sorted(one for one in durations_s if math.isfinite(one) and one >= 0)
    if len(sound) < LEAST_SAMPLES:
        return None
    return round(sound[int(_USUAL_QUANTILE * (len(sound) - 1))] * factor * 1000)


def overdue(
    running: Iterable[Running], usual: Mapping[str, int], now_ms: int, bounds: Bounds
) -> list[Trouble]:
    """Jobs that run for too long. `usual`: by type, from where on (ms); a type without one has no such limit."""
    late = []
    for one in running:
        limit_ms = max(usual.get(one.type, math.inf), bounds.overdue_least_ms)
        if now_ms - one.since_ms > limit_ms:
            late.append((one, limit_ms))
    late.sort(key=lambda pair: pair[0].since_ms)
    return [
        Trouble(
            Kind.JOB_OVERDUE,
            f"job {one.id}",
            f"of type {one.type} has run on {one.worker} for more than {lasting(limit_ms)}, far over its usual time",
            f"see what it does: hysds logs {one.id}; hysds cancel {one.id}",
            worker=one.worker,
            job=one.id,
            episode=str(one.since_ms),
        )
        for one, limit_ms in late[:MOST_TROUBLES]
    ]


def behind(kind: Kind, entries: int, bounds: Bounds) -> list[Trouble]:
    """Whether a reader of the event stream has too much before it. It is for the caller to see that this lasts."""
    if entries <= bounds.behind:
        return []
    subject, hint = _READERS[kind]
    return [Trouble(kind, subject, f"more than {counted(bounds.behind, 'event')} behind", hint)]


def idle(heard_ms_ago: Iterable[int]) -> list[Trouble]:
    """Whether no indexer works, by how long ago each was heard of. It is for the caller to see that this lasts."""
    if any(ago_ms <= _IDLE_MS for ago_ms in heard_ms_ago):
        return []
    _, hint = _READERS[Kind.INDEXER_BEHIND]
    return [
        Trouble(
            Kind.INDEXER_BEHIND, "indexer", "does not write: none that reaches the store was heard of", hint
        )
    ]


def away(reason: str) -> list[Trouble]:
    """A store that does not answer. It is for the caller to see that this lasts."""
    hint = "nothing is lost: documents wait in the ledger, then on disks of indexers; see hysds doctor"
    return [Trouble(Kind.STORE_AWAY, "store", f"does not answer: {reason[:_LONGEST_REASON]}", hint)]


def memory(used_bytes: int, limit_bytes: int | None, bounds: Bounds) -> list[Trouble]:
    """Whether the ledger's server is about to accept nothing more. `limit_bytes` of None: it has no limit."""
    if not limit_bytes or used_bytes * 100 <= limit_bytes * bounds.memory_percent:
        return []
    what = f"uses more than {bounds.memory_percent} % of its {units.format_size(limit_bytes)}"
    return [Trouble(Kind.LEDGER_FULL, "ledger", what, _FULL)]


def missing(unmet: Iterable[tuple[str, int]]) -> list[Trouble]:
    """(type, its period in ms) of which no job completed within the period."""
    return [
        Trouble(
            Kind.TYPE_MISSING,
            f"type {name}",
            f"has no job that completed within {lasting(period_ms)}",
            f"look at what became of them: hysds jobs --type {name}",
        )
        for name, period_ms in unmet
    ][:MOST_TROUBLES]


def lasting(ms: float) -> str:
    """A duration for people."""
    return units.format_duration(round(ms / 1000))
