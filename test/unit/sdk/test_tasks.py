"""Tasks as programs see them, without any worker: what waits, what has ended, what is handed to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.adapters.bell.memory import MemoryCalls
from hysds.core.errors import TaskFailed
from hysds.sdk import tasks
from hysds.testing import SimulatedSystem


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    with SimulatedSystem(tmp_path) as made:
        yield made


def test_a_task_that_has_not_ended_in_time_says_so(system: SimulatedSystem) -> None:
    """And can be asked again."""
    handle = system.client.run_task("a.f")
    for _ in range(2):
        with pytest.raises(TimeoutError, match="has not ended yet"):
            handle.result(0)


def test_a_job_worker_never_takes_a_task(system: SimulatedSystem) -> None:
    """Not even one that hears its queue; the job says that it waits for a worker of tasks."""
    handle = system.client.submit_task({"function": "a.f", "queue": "default"})

    assert system.settle() == []
    assert system.client.job(handle.id)["status"] == "job-queued"


def test_a_cancelled_task_has_no_result(system: SimulatedSystem) -> None:
    """Its handle raises why, also one made for a task that had ended long before."""
    handle = system.client.run_task("a.f")
    system.client.cancel([handle.id])

    with pytest.raises(TaskFailed, match="cancelled"):
        handle.result(1)
    again = system.client.submit_task({"function": "a.f"}, handle.id)
    with pytest.raises(TaskFailed, match="cancelled"):
        again.result(1)


def test_a_task_can_be_retried_by_hand(system: SimulatedSystem) -> None:
    """As any job; the new one is a task too."""
    handle = system.client.run_task("a.f", 1)
    system.client.cancel([handle.id])
    again = system.client.retry(handle.id)

    told = system.client.job(again.id)
    assert (told["resource"], told["job"]["params"]["function"], told["retry_of"]) == (
        "task",
        "a.f",
        handle.id,
    )


def test_many_tasks_are_handed_over_in_one_step_and_in_order(system: SimulatedSystem) -> None:
    """Each has a handle of its own."""
    handles = system.client.submit_tasks([{"function": "a.f", "args": [n]} for n in range(3)])

    assert [system.client.job(one.id)["job"]["params"]["args"] for one in handles] == [[0], [1], [2]]


def test_a_function_itself_is_called_by_its_name() -> None:
    """The worker finds it by that, so it must be a module's own."""
    assert tasks.name_of(tasks.name_of) == "hysds.sdk.tasks.name_of"
    assert tasks.name_of("a.f") == "a.f"


def test_the_twins_send_under_hysds_s_names(system: SimulatedSystem) -> None:
    """To the queues that the settings name, where none is given."""
    spec, payload = {"job_type": "job:x", "payload": {}}, {"function": "a.f"}
    tasks.do_submit_job(spec, system=system.system)
    tasks.do_submit_task(payload, system=system.system)
    tasks.do_submit_task(payload, "mail", system.system)

    calls = system.system.calls
    assert isinstance(calls, MemoryCalls)
    assert [(one.task, one.queue, one.argument) for one in calls.sent] == [
        ("hysds.orchestrator.submit_job", "jobs_processed", spec),
        ("hysds.task_worker.run_task", "tasks", {**payload, "queue": "tasks"}),
        ("hysds.task_worker.run_task", "mail", {**payload, "queue": "mail"}),
    ]
