"""What a worker's attempts are in numbers of its own process; the indexer counts jobs for all workers together."""

from __future__ import annotations

import threading
from dataclasses import replace

from hysds.core.metric_names import Metric
from hysds.leasing.attempt import Attempt
from hysds.leasing.conclusion import GiveBack, Verdict
from hysds.leasing.worker import Parts
from hysds.ports.metrics import Metrics


def measured(parts: Parts, slots: int, metrics: Metrics | None) -> Parts:
    """The parts, with what carries out jobs counted. `metrics`: None where nobody reads them."""
    if metrics is None or not metrics.is_on:
        return parts
    metrics.gauge(Metric.WORKER_SLOTS, slots)
    return replace(parts, carry_out=_Counted(parts, metrics))


class _Counted:
    """Carries out, in any thread, and counts."""

    def __init__(self, parts: Parts, metrics: Metrics) -> None:
        self._carry_out = parts.carry_out
        self._metrics = metrics
        self._lock = threading.Lock()
        self._running = 0
        self._tell(0)

    def __call__(self, attempt: Attempt) -> Verdict:
        self._tell(1)
        try:
            verdict = self._carry_out(attempt)
        finally:
            self._tell(-1)
        self._metrics.count(Metric.WORKER_ATTEMPTS, how=_how(verdict))
        return verdict

    def _tell(self, more: int) -> None:
        with self._lock:
            self._running += more
            self._metrics.gauge(Metric.WORKER_RUNNING, self._running)


def _how(verdict: Verdict) -> str:
    """As the ledger will list the attempt; `lost` where its lease is another's by now."""
    if verdict is None:
        return "lost"
    if isinstance(verdict, GiveBack):
        return "released"
    return verdict.reason or verdict.status.value
