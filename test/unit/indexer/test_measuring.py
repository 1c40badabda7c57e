"""What an indexer's numbers say of the jobs that went by."""

from __future__ import annotations

from pathlib import Path

from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.core.metric_names import Metric
from hysds.core.requests import Event
from hysds.indexer.measuring import Measuring
from hysds.testing import Play, SimulatedSystem

SPEC = {"job_type": "job:x", "job_queue": "default", "payload": {"_command": "true"}}


class Watched:
    """A simulated system whose indexer counts."""

    def __init__(self, system: SimulatedSystem) -> None:
        self.system = system
        metrics = system.system.metrics
        assert isinstance(metrics, MemoryMetrics)
        self.metrics = metrics

    def numbers(self, metric: Metric) -> dict[tuple[str, ...], float]:
        return {values: number for values, number in self.metrics.numbers(metric).items() if number}

    def times(self, metric: Metric) -> dict[tuple[str, ...], int]:
        return {values: sum(one.counts) for values, one in self.metrics.observed(metric).items()}


def test_a_job_that_completes_is_counted_once_in_each_number(tmp_path: Path) -> None:
    """By type, queue and status, with its wait, its run and each of its phases."""
    with SimulatedSystem(tmp_path) as system:
        watched = Watched(system)
        system.client.submit(SPEC)
        system.settle()

        assert watched.numbers(Metric.JOBS_ACCEPTED) == {("job:x", "default"): 1}
        assert watched.numbers(Metric.JOBS_ENDED) == {("job-completed", "", "job:x", "default"): 1}
        assert watched.numbers(Metric.ATTEMPTS_ENDED) == {("job-completed", "job:x", "default"): 1}
        assert watched.numbers(Metric.JOB_RETRIES) == {}
        assert watched.numbers(Metric.LEASES_EXPIRED) == {}
        assert watched.metrics.numbers(Metric.LEASES_EXPIRED) == {("default",): 0}
        assert watched.times(Metric.JOB_WAIT) == {("default",): 1}
        assert watched.times(Metric.JOB_RUN) == {("job:x",): 1}
        assert {phase for phase, _ in watched.times(Metric.JOB_PHASE)} == {"prepare", "execute", "finish"}
        steps = watched.numbers(Metric.JOB_STEPS)
        assert (
            steps["accept", "job-queued"]
            == steps["claim", "job-started"]
            == steps["commit", "job-completed"]
            == 1
        )
        assert watched.numbers(Metric.INDEXED)["written",] >= 1


def test_each_attempt_and_each_retry_is_counted_with_its_class(tmp_path: Path) -> None:
    """Also where all of it was read at once: by the fences of the steps, not by how the job stands now."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=3)) as system:
        watched = Watched(system)
        system.client.submit(SPEC | {"retry": {"user": {"attempts": 3}}})
        while system.work():
            system.later(3600)
        system.later(3600)

        assert watched.numbers(Metric.ATTEMPTS_ENDED) == {("user", "job:x", "default"): 3}
        assert watched.numbers(Metric.JOB_RETRIES) == {("user", "job:x", "default"): 2}
        assert watched.numbers(Metric.JOBS_ENDED) == {("job-failed", "user", "job:x", "default"): 1}
        assert watched.times(Metric.JOB_RUN) == {("job:x",): 3}


def test_a_job_that_waited_for_its_retry_and_ran_out_of_time_ended_no_attempt_then(tmp_path: Path) -> None:
    """Its fence is still that of the attempt before; that one is counted when it ended."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=3)) as system:
        watched = Watched(system)
        system.client.submit(SPEC | {"retry": {"user": {"attempts": 3, "delay": 10}}, "deadline": 60})
        system.settle()
        system.client.pause_queue("default")
        for _ in range(60):
            system.later(2)

        assert watched.numbers(Metric.JOBS_ENDED) == {("job-failed", "timeout", "job:x", "default"): 1}
        assert watched.numbers(Metric.ATTEMPTS_ENDED) == {("user", "job:x", "default"): 1}


def test_what_changes_an_ended_job_ends_it_no_second_time(tmp_path: Path) -> None:
    """A retry by hand, a revision that was raised."""
    with SimulatedSystem(tmp_path) as system:
        watched = Watched(system)
        job = system.client.submit(SPEC)
        system.settle()
        system.system.ledger.touch(job.id, 0)
        system.settle()

        assert sum(watched.numbers(Metric.JOBS_ENDED).values()) == 1
        assert watched.numbers(Metric.JOB_STEPS)["touch", "job-completed"] == 1


def test_a_step_of_a_job_that_nobody_knows_any_more_is_counted_as_a_step(tmp_path: Path) -> None:
    """Another indexer was faster, and its record is forgotten: its type and queue with it."""
    metrics = MemoryMetrics()
    measuring = Measuring(metrics, lambda: 2.0)

    measuring.done([Event("x", 1_000_000, 0, "job-failed", "reject")])

    assert metrics.numbers(Metric.JOB_STEPS) == {("reject", "job-failed"): 1}
    assert metrics.numbers(Metric.JOBS_ENDED) == {}
    assert metrics.observed(Metric.INDEX_LAG)[()].total == 1.0


def test_nobody_reads_and_nothing_is_kept() -> None:
    """An indexer without metrics does no work for them."""
    measuring = Measuring(None)

    measuring.made(iter(()))
    measuring.done(_raising())


def _raising() -> list[Event]:
    class Unread(list[Event]):
        def __iter__(self):  # type: ignore[no-untyped-def]
            raise AssertionError("events were looked at")

    return Unread()
