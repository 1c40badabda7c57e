"""What producers send over the broker: submitted once, refused on record, ends told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.core.errors import InvalidSpec, TaskFailed
from hysds.core.metric_names import Metric
from hysds.orchestrator.receiving import Ended, Receiver
from hysds.testing import SimulatedSystem

ID = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
TASK = {"function": "a.f", "queue": "mail"}


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    with SimulatedSystem(tmp_path) as made:
        yield made


@pytest.fixture
def receiver(system: SimulatedSystem) -> Iterator[Receiver]:
    made = system.system.receiver()
    yield made
    made.close()


def spec(**fields: Any) -> dict[str, Any]:
    return {"job_type": "job:x", "job_queue": "default", "payload": {"_command": "true"}, **fields}


class Heard:
    """Waits for one end."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._ends: list[Ended] = []

    def __call__(self, ended: Ended) -> None:
        self._ends.append(ended)
        self._over.set()

    def end(self) -> Ended:
        assert self._over.wait(30)
        [ended] = self._ends
        return ended


def test_a_message_that_comes_twice_is_one_job(system: SimulatedSystem, receiver: Receiver) -> None:
    """Its id is the message's."""
    assert [receiver.submit_job(spec(), ID, 0) for _ in range(2)] == [ID, ID]
    assert system.work() == [ID]
    assert receiver.submit_job(spec(), ID, 0) == ID
    assert system.work() == []


@pytest.mark.parametrize(
    ("given", "of_message", "expected"),
    [({}, 7, 7), ({"priority": 0}, 7, 0), ({"priority": 3}, 7, 3), ({}, 0, 0)],
)
def test_the_message_s_priority_counts_where_the_spec_has_none(
    system: SimulatedSystem, receiver: Receiver, given: dict[str, int], of_message: int, expected: int
) -> None:
    """What a spec says stands."""
    receiver.submit_job(spec(**given), ID, of_message)

    assert system.client.job(ID)["job"]["priority"] == expected


@pytest.mark.parametrize("wrong", [None, 7, "text", [], {}, {"job_type": "job:x", "payload": {}}])
def test_a_refused_spec_is_on_record_under_the_message_s_id(
    system: SimulatedSystem, receiver: Receiver, wrong: object
) -> None:
    """Whoever asks for the id learns why; a redelivery is refused again."""
    for _ in range(2):
        with pytest.raises(InvalidSpec):
            receiver.submit_job(wrong, ID, 0)

    told = system.client.job(ID)
    assert (told["status"], told["failure_class"]) == ("job-failed", "invalid")


def test_an_id_that_is_none_is_refused(receiver: Receiver) -> None:
    """Celery lets a sender choose any text."""
    with pytest.raises(InvalidSpec, match=r"\$\.id"):
        receiver.submit_job(spec(), "my-job", 0)


def test_the_end_of_a_task_is_told_to_whoever_waits(system: SimulatedSystem, receiver: Receiver) -> None:
    """Also of one that no worker ever had, and of one that had ended before."""
    heard, late = Heard(), Heard()
    job_id = receiver.run_task(TASK, ID, 0)
    receiver.watch(job_id, heard)
    system.client.cancel([job_id])

    error = heard.end().error
    assert isinstance(error, TaskFailed)
    assert (error.job_id, error.failure_class) == (ID, "cancelled")
    receiver.watch(job_id, late)
    assert isinstance(late.end().error, TaskFailed)


def test_a_duplicate_s_result_is_that_of_the_task_that_stands_for_it(receiver: Receiver) -> None:
    """Where the sender asked for dedup."""
    other = "7f9619ff-8b86-4011-b42d-00c04fc964ff"
    once = {**TASK, "enable_dedup": True}

    assert receiver.run_task(once, ID, 0) == ID
    assert receiver.run_task(once, other, 0) == ID
    assert receiver.run_task(TASK, "8f9619ff-8b86-4011-b42d-00c04fc964ff", 0) != ID


def test_what_came_is_counted_by_what_became_of_it(system: SimulatedSystem, receiver: Receiver) -> None:
    """A duplicate has an id of its own, and stands for nothing new."""
    twin = "6f9619ff-8b86-4011-b42d-00c04fc96400"
    receiver.submit_job(spec(), ID, 0)
    receiver.submit_job(spec(), twin, 0)
    with pytest.raises(InvalidSpec):
        receiver.submit_job({}, "6f9619ff-8b86-4011-b42d-00c04fc96401", 0)

    assert isinstance(system.system.metrics, MemoryMetrics)
    counted = system.system.metrics.numbers(Metric.RECEIVED)
    assert counted == {("accepted",): 1, ("duplicate",): 1, ("refused",): 1}
