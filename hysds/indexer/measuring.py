"""What an indexer tells in numbers: its own work, and what the events that it has done with say of jobs.

It asks nobody: type, queue and attempts are of what was read of the jobs for their documents. Events that come again,
after an outage or from a dead indexer, are counted when they are done with, which happens once; those that an indexer
had done with when it died are gone, with all that it had counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hysds.core.errors import Unreachable
from hysds.core.metric_names import Metric
from hysds.core.metric_series import Values
from hysds.core.record import Attempt
from hysds.core.requests import Event
from hysds.core.status import ENDED, FailureClass, Status
from hysds.indexer.projection import Projected
from hysds.ports.ledger import Kept
from hysds.ports.metrics import Metrics
from hysds.ports.spill import Held

_BIRTHS = frozenset({"accept", "reject"})
_LASTING = frozenset({"touch", "retry"})
"""Steps of jobs that may have ended long before."""
_AGAIN = frozenset({Status.QUEUED.value, Status.WAITING.value})


@dataclass(frozen=True, slots=True)
class _Job:
    """What is counted of a job beside its events."""

    type: str
    queue: str
    failure_class: str
    claim: tuple[int, float] | None
    """The fence of the latest claim, and how long the job had been ready then."""
    attempts: Mapping[int, Attempt]
    """By fence."""
    phases: Mapping[int, Sequence[Mapping[str, Any]]]
    """As the document lists them, by fence."""


class Measuring:
    """One thread. `metrics`: None where nobody reads them. `wall_s`: seconds since 1970."""

    def __init__(self, metrics: Metrics | None, wall_s: Callable[[], float] = time.time) -> None:
        self._metrics = metrics if metrics is not None and metrics.is_on else None
        self._wall_s = wall_s
        self._jobs: dict[str, _Job] = {}
        self._counted: Counter[tuple[Metric, Values]] = Counter()

    def made(self, built: Iterable[tuple[Kept, Mapping[str, Any]]]) -> None:
        """These documents were made for events that will be done with next."""
        if self._metrics is not None:
            self._jobs.update((kept.record.id, _job(kept, document)) for kept, document in built)

    def done(self, events: Iterable[Event]) -> None:
        """These are done with, once and for all."""
        metrics = self._metrics
        if metrics is None:
            return
        now_s = self._wall_s()
        for event in events:
            self._count(Metric.JOB_STEPS, event.step, event.status)
            metrics.observe(Metric.INDEX_LAG, max(now_s - event.revision / 1e6, 0.0))
            # What the ledger had forgotten, or could not read, has no type and no queue any more.
            if (job := self._jobs.get(event.id)) is not None:
                self._stepped(event, job, metrics)
        for (metric, values), times in self._counted.items():
            metrics.count(metric, times, **dict(zip(metric.value.labels, values, strict=True)))
        self._counted.clear()
        self._jobs.clear()

    def kept(self, done: Projected) -> None:
        """What became of documents: of events, or of a portion of the spill."""
        if self._metrics is None:
            return
        outcomes = {
            "written": done.written,
            "held": done.held,
            "set-aside": done.set_aside,
            "spilled": done.spilled,
        }
        for outcome, documents in outcomes.items():
            self._metrics.count(Metric.INDEXED, documents, outcome=outcome)

    def archived(self, documents: int) -> None:
        """So many documents are in the archive now."""
        if self._metrics is not None:
            self._metrics.count(Metric.ARCHIVED, documents)

    def spill(self, held: Callable[[], Held]) -> None:
        """What waits on this host's disk; a disk that can't be read is told elsewhere."""
        if self._metrics is not None:
            with suppress(Unreachable):
                now = held()
                self._metrics.gauge(Metric.SPILL_WAITING, now.documents)
                self._metrics.gauge(Metric.SPILL_BYTES, now.size_bytes)

    def is_away(self, away: bool) -> None:
        """Whether ledger or store did not answer."""
        if self._metrics is not None:
            self._metrics.gauge(Metric.INDEX_AWAY, away)

    def _stepped(self, event: Event, job: _Job, metrics: Metrics) -> None:
        if event.step in _BIRTHS:
            self._count(Metric.JOBS_ACCEPTED, job.type, job.queue)
            # From now on told as 0: an increase that begins with nothing is seen by no rate().
            metrics.count(Metric.LEASES_EXPIRED, 0, queue=job.queue)
        if event.status in ENDED and event.step not in _LASTING:
            self._count(Metric.JOBS_ENDED, event.status, job.failure_class, job.type, job.queue)
        if event.step == "claim" and job.claim is not None and job.claim[0] == event.fence:
            metrics.observe(Metric.JOB_WAIT, job.claim[1], queue=job.queue)
        if (attempt := job.attempts.get(event.fence)) is not None and _ended(attempt, event):
            self._attempted(event, job, attempt, metrics)

    def _attempted(self, event: Event, job: _Job, attempt: Attempt, metrics: Metrics) -> None:
        self._count(Metric.ATTEMPTS_ENDED, attempt.how, job.type, job.queue)
        if event.status in _AGAIN:
            self._count(Metric.JOB_RETRIES, attempt.how, job.type, job.queue)
        if attempt.how == FailureClass.WORKER_LOST.value:
            self._count(Metric.LEASES_EXPIRED, job.queue)
        ran_s = max(attempt.ended_ms - attempt.started_ms, 0) / 1000
        metrics.observe(Metric.JOB_RUN, ran_s, type=job.type)
        for phase in job.phases.get(attempt.fence, ()):
            metrics.observe(Metric.JOB_PHASE, max(phase["duration"], 0.0), phase=phase["name"], type=job.type)

    def _count(self, metric: Metric, *values: str) -> None:
        self._counted[metric, values] += 1


def _job(kept: Kept, document: Mapping[str, Any]) -> _Job:
    record = kept.record
    has_claim = record.status.value not in _AGAIN and record.fence and record.ready_ms
    wait_s = max(record.started_ms - record.ready_ms, 0) / 1000
    return _Job(
        str(document.get("type", "")),
        record.queue,
        str(document.get("failure_class", "")),
        (record.fence, wait_s) if has_claim else None,
        {attempt.fence: attempt for attempt in kept.attempts},
        {one["fence"]: one.get("phases", ()) for one in document.get("attempts", ())},
    )


def _ended(attempt: Attempt, event: Event) -> bool:
    """Whether the step is the attempt's end: its fence stays the job's until the next claim, and what becomes of the
    job meanwhile is no end of it. An end is stamped in its own step.
    """
    if event.step in ("commit", "release"):
        return True
    return event.step == "expire" and attempt.ended_ms >= event.revision // 1000
