"""The census: what stands in the ledger, counted every few seconds for whoever reads the metrics.

A handful of questions, whatever number of jobs there is and however often somebody reads. It has a thread of its own:
rounds of duties do not wait for it, and a ledger that hangs is told all the same. Of a ledger that does not answer
nothing is told but that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from hysds.core.errors import HysdsError
from hysds.core.explanation.takers import Facts, facts_of, is_silent
from hysds.core.floor_requests import WorkerState
from hysds.core.metric_names import Metric
from hysds.core.metric_series import Values
from hysds.core.queue_tallies import QueueTally
from hysds.lib import clocks
from hysds.ports.events import Events
from hysds.ports.ledger import Ledger, Pulse
from hysds.ports.metrics import Metrics
from hysds.ports.roster import Roster, Signature

_INDEXER = "indexer"
_STATES = ("idle", "working", "draining", "silent")
_LOG = logging.getLogger(__name__)

Rows = dict[Metric, dict[Values, float]]


class Census:
    """Counts. One thread. `clock_s` never goes back; `wall_ms` is this host's wall clock."""

    def __init__(
        self,
        ledger: Ledger,
        events: Events,
        roster: Roster,
        metrics: Metrics,
        clock_s: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = clocks.wall_ms,
    ) -> None:
        self._ledger = ledger
        self._events = events
        self._roster = roster
        self._metrics = metrics
        self._clock_s = clock_s
        self._wall_ms = wall_ms
        self._told: frozenset[Metric] = frozenset()
        self._is_refused = False

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Count now and then, until told to stop."""
        while not stop.is_set():
            self.count()
            stop.wait(every_s)

    def count(self) -> None:
        """Count once; it raises nothing."""
        try:
            rows = self._rows()
        except HysdsError as error:
            if not self._is_refused:
                _LOG.warning("the ledger could not be counted for the metrics: %s", error)
            self._is_refused = True
            rows = {Metric.LEDGER_UP: {(): 0.0}}
        else:
            self._is_refused = False
        for metric in self._told | rows.keys():
            self._metrics.table(metric, rows.get(metric, {}))
        self._told = frozenset(rows)

    def _rows(self) -> Rows:
        began_s = self._clock_s()
        now_ms = self._ledger.now_ms()
        self._metrics.observe(Metric.LEDGER_ANSWER, self._clock_s() - began_s)
        pulse, tallies, workers = self._ledger.pulse(), self._ledger.tallies(), self._ledger.workers()
        behind, depth = self._events.backlog(_INDEXER), self._events.depth()
        return {
            Metric.LEDGER_UP: {(): 1.0},
            Metric.LEDGER_SAMPLED: {(): self._wall_ms() / 1000},
            Metric.INDEX_BEHIND: {(): behind},
            Metric.STREAM_EVENTS: {(): depth},
            Metric.ROLE_HEARD: _heard(self._roster.signatures()),
            **_server(pulse),
            **_queues(tallies, now_ms),
            **_floor([(one, facts_of(one)) for one in workers]),
        }


def _server(pulse: Pulse) -> Rows:
    limit = pulse.memory_limit_bytes
    return {
        Metric.LEDGER_MEMORY: {(): pulse.memory_bytes},
        Metric.LEDGER_MEMORY_LIMIT: {} if limit is None else {(): limit},
        Metric.JOBS_STARTED: {(): pulse.started},
        Metric.JOBS_DUE: {(): pulse.due},
    }


def _queues(tallies: Sequence[QueueTally], now_ms: int) -> Rows:
    return {
        Metric.QUEUE_READY: {(one.queue,): one.ready for one in tallies},
        Metric.QUEUE_OLDEST: {(one.queue,): _age_s(one, now_ms) for one in tallies},
        Metric.QUEUE_RUNNING: {(one.queue,): one.running for one in tallies},
        Metric.QUEUE_PAUSED: {(one.queue,): float(one.pause is not None) for one in tallies},
        Metric.QUEUE_WAITING: {
            (one.queue, reason): count for one in tallies for reason, count in one.waiting
        },
    }


def _age_s(tally: QueueTally, now_ms: int) -> float:
    """Of the oldest ready job; 0 where there is none, so that a queue that was emptied shows it."""
    return max(now_ms - tally.oldest_ms, 0) / 1000 if tally.ready else 0.0


def _floor(workers: Sequence[tuple[WorkerState, Facts]]) -> Rows:
    states = Counter(_state(worker, facts) for worker, facts in workers)
    hearers: Counter[str] = Counter()
    slots = busy = 0
    for worker, facts in workers:
        state = _state(worker, facts)
        hearers.update(dict.fromkeys(worker.queues, int(state in ("idle", "working"))))
        if state != "silent":
            has, free = facts.has, facts.free
            slots += has.slots if has else worker.slots
            busy += has.slots - free.slots if has and free else len(worker.held)
    return {
        Metric.WORKERS: {(state,): states[state] for state in _STATES},
        Metric.QUEUE_WORKERS: {(queue,): count for queue, count in hearers.items()},
        Metric.SLOTS: {(): slots},
        Metric.SLOTS_BUSY: {(): busy},
    }


def _state(worker: WorkerState, facts: Facts) -> str:
    if is_silent(worker, facts):
        return "silent"
    if worker.drain is not None or worker.slots == 0:
        return "draining"
    return "working" if worker.held else "idle"


def _heard(signatures: Sequence[Signature]) -> dict[Values, float]:
    """Of each role, the process that was heard last."""
    ago: dict[Values, float] = {}
    for one in signatures:
        ago[(one.role,)] = min(ago.get((one.role,), float("inf")), max(one.ago_ms, 0) / 1000)
    return ago
