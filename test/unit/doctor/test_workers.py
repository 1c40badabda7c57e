"""What is found in announcements."""

from __future__ import annotations

import json
from typing import Any

from hysds.core.floor_requests import Drain, Fit, WorkerState
from hysds.doctor import workers
from hysds.doctor.workers import Floor
from hysds.ports.findings import Finding, Severity
from hysds.ports.ledger import QueueState

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


def _worker(name: str, left_ms: int = 59_000, held: int = 0, **facts: Any) -> WorkerState:
    told = {"version": "1", "announce_ms": 60_000, "wall_ms": NOW_MS - 1_000, "gate": "open"} | facts
    leases = tuple((f"j{number}", 1) for number in range(held))
    return WorkerState(f"{name}/1", "host", name, ("gpu",), 2, Fit(), json.dumps(told), left_ms, leases)


def _found(
    *there: WorkerState, queues: tuple[QueueState, ...] = (), drains: tuple[Drain, ...] = ()
) -> list[Finding]:
    """All but what is as it should be."""
    floor = Floor(there, queues, drains, NOW_MS, "1")
    return [one for one in workers.check(floor) if one.severity > Severity.OK]


def _codes(found: list[Finding]) -> list[str]:
    return [one.code for one in found]


def test_healthy_workers_are_one_line() -> None:
    """How many there are, and how many jobs they run."""
    floor = Floor([_worker("a", held=2), _worker("b", gate="full")], [], [], NOW_MS, "1")
    [only] = workers.check(floor)

    assert only.what == "2 workers, 2 jobs running"
    assert only.severity is Severity.OK


def test_ready_jobs_of_a_queue_that_no_worker_hears_are_a_warning_with_the_command() -> None:
    """A paused queue is nobody's mistake; a silent worker hears nothing."""
    queues = (QueueState("gpu", 3, False), QueueState("cpu", 4, False), QueueState("off", 5, True))
    found = _found(_worker("a"), queues=queues)

    assert _codes(found) == ["workers.none", "workers.paused"]
    assert found[0].where == "queue cpu"
    assert "hysds worker job --queues cpu" in found[0].mend
    assert "workers.none" in _codes(_found(_worker("a", left_ms=0), queues=queues[:1]))
    assert found[0].what.endswith("it has 4 ready jobs")


def test_ready_tasks_that_no_worker_hears_ask_for_a_worker_of_tasks() -> None:
    """A job worker refuses the queues of the settings `tasks.queues`."""
    floor = Floor([], [QueueState("notices", 1, False)], [], NOW_MS, "1", ("tasks", "notices"))
    [found] = [one for one in workers.check(floor) if one.code == "workers.none"]

    assert found.mend == "start one: hysds worker task --queues notices"


def test_two_workers_of_one_name_are_told() -> None:
    """Both work, but an order by name goes to both."""
    found = _found(_worker("a"), _worker("a"), _worker("b"))

    assert _codes(found) == ["workers.doubled"]
    assert found[0].where == "a"


def test_a_silent_worker_is_told_with_what_it_holds() -> None:
    """Its jobs go to others by themselves."""
    [found] = _found(_worker("a", left_ms=-5, held=3))

    assert found.code == "workers.silent"
    assert "holds 3 jobs" in found.what


def test_a_worker_is_silent_after_half_of_its_lease() -> None:
    """Its announcement stands for longer; how long it was not heard of is told, and one job is not many."""
    [found] = _found(_worker("a", left_ms=40_000, held=1, lease_ms=30_000))

    assert found.code == "workers.silent"
    assert found.what == "it was not heard of for 20s and holds 1 job, for others when the leases run out"
    assert _found(_worker("a", left_ms=46_000, lease_ms=30_000, wall_ms=NOW_MS - 14_000)) == []


def test_a_gate_that_is_shut_says_why() -> None:
    """Full and draining gates are shut in order."""
    found = _found(
        _worker("a", gate="no work directory"), _worker("b", gate="draining: x"), _worker("c", gate="full")
    )

    assert [one.where for one in found] == ["a"]
    assert "no work directory" in found[0].what


def test_a_worker_of_another_version_is_a_note() -> None:
    """While a fleet is renewed, that is so for a while."""
    [found] = _found(_worker("a", version="0"))

    assert (found.code, found.severity) == ("workers.version", Severity.NOTE)


def test_a_worker_whose_clock_is_off_is_told_whichever_way() -> None:
    """It told its clock a second ago, when 59 s of its minute were left."""
    assert _found(_worker("a", wall_ms=NOW_MS - 1_000 + 2_000)) == []

    found = _found(_worker("a", wall_ms=NOW_MS + 3_600_000), _worker("b", wall_ms=NOW_MS - 3_600_000))

    assert _codes(found) == ["workers.clock", "workers.clock"]
    assert "3601.0 s ahead of" in found[0].what
    assert "3599.0 s behind" in found[1].what


def test_a_drained_worker_is_a_note_and_so_is_an_order_that_nobody_is_left_to_follow() -> None:
    """Since when, why, and the way back; a young order may wait for a host that boots."""
    drains = (
        Drain("a", "disk", NOW_MS - 60_000, -1),
        Drain("young", "", NOW_MS - DAY_MS, -1),
        Drain("old", "gone", NOW_MS - 30 * DAY_MS, -1),
    )
    found = _found(_worker("a"), drains=drains)

    assert [(one.where, one.severity) for one in found] == [("a", Severity.NOTE), ("old", Severity.NOTE)]
    assert found[0].what == "drained for 1m (disk)"
    assert "hysds worker resume old" in found[1].mend


def test_facts_that_nobody_can_read_break_nothing() -> None:
    """Another version may announce anything."""
    odd = WorkerState("o/1", "h", "o", ("gpu",), 1, Fit(), "[1", 10, ())

    assert _found(odd) == []
