"""What Celery's own tools show of jobs on a real worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

from worlds.system import RunningSystem


def active(running: RunningSystem) -> list[str]:
    """The arguments of all tasks that a real `celery inspect active` shows."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "hysds",
        "inspect",
        "active",
        "--json",
        "--timeout",
        "30",
    ]
    answer = subprocess.run(
        [*command, "--destination", "w@here"],
        env=os.environ | running.variables,
        capture_output=True,
        check=True,
        text=True,
    )
    [tasks] = json.loads(answer.stdout).values()
    return sorted(argument for task in tasks for argument in task["args"])


def test_inspect_names_the_jobs_that_run(
    systems: Callable[..., RunningSystem], broker_url: str, unique_name: str
) -> None:
    """Exactly the two ids while they run; after their end, none."""
    running = systems(broker_url)
    running.worker("w", unique_name)
    gate = running.home / "gate"
    command = f"sh -c 'while ! test -e {gate}; do sleep 0.05; done'"
    jobs = [running.submit(unique_name, command, payload_hash=f"{unique_name}{number}") for number in (1, 2)]

    def statuses() -> list[str]:
        return [found["status"] for found in running.client.jobs_by_id(jobs)]

    running.until(lambda: statuses() == ["job-started"] * 2, lambda: running.log("w"))
    running.until(lambda: active(running) == sorted(jobs), lambda: f"{active(running)} {running.log('w')}")
    gate.touch()
    for job_id in jobs:
        assert running.client.wait(job_id, 60)["status"] == "job-completed"
    running.until(lambda: active(running) == [], lambda: f"{active(running)} {running.log('w')}")


def test_a_worker_of_the_wrong_pool_is_refused_with_the_right_command(
    systems: Callable[..., RunningSystem], broker_url: str, unique_name: str
) -> None:
    """It would run no job: it says so at once, and takes nothing."""
    running = systems(broker_url)
    options = ("-Q", unique_name, "-c", "1", "-n", "solo@here", "-P", "solo")

    process = running.start("solo", "-m", "celery", "-A", "hysds", "worker", *options)

    assert process.wait(60) != 0
    assert "celery -A hysds worker -Q" in running.log("solo")
