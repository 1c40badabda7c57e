"""A schedule in a whole system: a real reconciler fires it, a real worker runs its job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hysds.core import moments
from hysds.core.schedule import Schedule
from services.redis import RedisServer
from worlds.system import RunningSystem

_SPEC = {
    "job_type": "job:report",
    "job_queue": "q",
    "payload": {"_command": "sh -c 'echo $HYSDS_SCHEDULE at $HYSDS_SCHEDULE_TIME'"},
}


@pytest.fixture
def system(systems: Callable[..., RunningSystem], valkey_server: RedisServer) -> RunningSystem:
    """With a worker, and two reconcilers."""
    found = systems(f"{valkey_server.url[:-1]}1")
    found.worker("w", "q")
    for name in ("r1", "r2"):
        found.start(name, "-m", "hysds", "reconciler")
    return found


def _due(system: RunningSystem, name: str) -> Schedule:
    """A schedule whose next tick was this minute's."""
    made = system.client.schedule(name, "* * * * *", _SPEC)
    due = replace(made, next_ms=made.next_ms - 60_000, revision=made.revision + 1)
    shelf = system.system._adapters.schedules(system.system.settings)
    assert shelf.put(due, made.revision)
    return due


def test_the_job_of_a_tick_runs_once_and_knows_its_tick(system: RunningSystem) -> None:
    """The schedule names the job, the job its schedule, and the command finds both in its environment."""
    due = _due(system, "report")
    system.until(lambda: system.client.schedules.get("report").last is not None, lambda: system.log("r1"))
    last = system.client.schedules.get("report").last
    assert last is not None
    found = system.client.wait(last.job_id, 60)

    assert (found["status"], found["schedule"]) == ("job-completed", "report")
    assert found["schedule_time"] == moments.iso(due.next_ms)
    links = system.client.explain(last.job_id).links
    assert (links["schedule"], links["schedule_time"]) == ("report", found["schedule_time"])
    output = Path(found["job"]["job_info"]["job_dir"]) / "_stdout.txt"
    assert output.read_text() == f"report at {moments.iso(due.next_ms)}\n"


def test_run_now_runs_beside_the_ticks(system: RunningSystem) -> None:
    """Also of a schedule that is paused."""
    system.client.schedule("paused", "@yearly", _SPEC)
    system.client.schedules.pause("paused")
    found = system.client.wait(system.client.schedules.run_now("paused").id, 60)

    assert (found["status"], found["schedule"]) == ("job-completed", "paused")
