"""What everything does that takes metrics: the one that keeps them, the one that does not."""

from __future__ import annotations

import pytest

from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.adapters.metrics.off import NoMetrics
from hysds.core.metric_names import Metric
from hysds.ports.metrics import Metrics


@pytest.fixture(params=[MemoryMetrics, NoMetrics])
def metrics(request: pytest.FixtureRequest) -> Metrics:
    """Each kind, with nothing in it."""
    made: Metrics = request.param()
    return made


def test_all_that_is_measured_is_taken(metrics: Metrics) -> None:
    """Numbers that are none are left out, and harm nobody."""
    for value in (1.5, float("nan"), float("inf"), -1.0):
        metrics.count(Metric.JOBS_ACCEPTED, value, type="t", queue="q")
        metrics.observe(Metric.ROUND, value)
        metrics.gauge(Metric.JOBS_DUE, value)
        metrics.table(Metric.QUEUE_READY, {("q",): value})

    if isinstance(metrics, MemoryMetrics):
        assert metrics.numbers(Metric.JOBS_ACCEPTED) == {("t", "q"): 1.5}
        assert metrics.observed(Metric.ROUND)[()].total == 0.5
        assert metrics.numbers(Metric.JOBS_DUE) == {(): -1.0}
        assert metrics.numbers(Metric.QUEUE_READY) == {("q",): -1.0}
