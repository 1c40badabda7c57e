"""What a worker tells of its own attempts in numbers."""

from __future__ import annotations

from pathlib import Path

from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.core.metric_names import Metric
from hysds.ports.engines import Workload
from hysds.testing import Play, SimulatedSystem


def test_attempts_are_counted_by_how_they_ended_and_while_they_run(tmp_path: Path) -> None:
    """A class of failure where there is one; the gauge is 1 in the middle of an attempt and 0 after it."""
    seen: list[float] = []

    def script(workload: Workload) -> Play:
        seen.append(metrics.numbers(Metric.WORKER_RUNNING)[()])
        return Play(exit_code=len(seen) - 1)

    with SimulatedSystem(tmp_path, script, slots=3) as system:
        assert isinstance(system.system.metrics, MemoryMetrics)
        metrics = system.system.metrics
        for _ in range(2):
            system.client.submit(
                {
                    "job_type": "job:x",
                    "job_queue": "default",
                    "payload": {"_command": "true"},
                    "enable_dedup": False,
                }
            )
        system.settle()

    assert metrics.numbers(Metric.WORKER_SLOTS) == {(): 3}
    assert seen == [1, 1]
    assert metrics.numbers(Metric.WORKER_RUNNING) == {(): 0}
    assert metrics.numbers(Metric.WORKER_ATTEMPTS) == {("job-completed",): 1, ("user",): 1}
