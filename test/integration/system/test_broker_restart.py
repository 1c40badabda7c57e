"""A broker that is killed and comes back, and one that loses its queues: no job waits for a bell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from celery import Celery

from hysds.settings.celery import celery_config
from services.process import ServerProcess
from services.rabbitmq import RabbitOptions
from services.redis import RedisOptions
from worlds.gated import Gated
from worlds.system import RunningSystem


@pytest.fixture(params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> ServerProcess:
    """A broker of this test's own, of each kind in turn."""
    options = {"valkey": RedisOptions(), "rabbitmq": RabbitOptions()}
    start: Callable[[object], ServerProcess] = request.getfixturevalue(f"start_{request.param}")
    return start(options[request.param])


def test_jobs_wait_and_run_through_a_broker_that_is_killed_and_one_that_lost_its_queues(
    systems: Callable[..., RunningSystem], broker: ServerProcess, unique_name: str
) -> None:
    """A running job runs on; one that waits is taken when a slot is free, broker or not; one handed in meanwhile runs
    too. Back again with nothing that it knew, and when its queue is deleted, monitors show what they showed
    before.
    """
    running = systems(broker.url)
    running.worker("w", unique_name, slots=1)
    jobs = Gated(running, unique_name)
    ids = {name: jobs.submit(name) for name in ("running", "waiting")}
    jobs.until_begun("running")
    running.until(lambda: _active(running) == [ids["running"]], lambda: running.log("w"))

    broker.kill()
    ids["meanwhile"] = jobs.submit("meanwhile")
    for name, following in (("running", "waiting"), ("waiting", "meanwhile")):
        jobs.open(name)
        jobs.until_begun(following)
    broker.start()

    running.until(lambda: _active(running) == [ids["meanwhile"]], lambda: running.log("w"))
    _delete_queue(running, unique_name)
    jobs.open("meanwhile")
    ids["afterwards"] = jobs.submit("afterwards")
    jobs.until_begun("afterwards")
    running.until(lambda: _active(running) == [ids["afterwards"]], lambda: running.log("w"))
    jobs.open("afterwards")
    ended = [running.client.wait(job_id, 60) for job_id in ids.values()]
    assert [(job["status"], len(job["attempts"])) for job in ended] == [("job-completed", 1)] * 4


def _delete_queue(running: RunningSystem, queue: str) -> None:
    """With all bells in it, and under the worker that consumes from it."""
    app = Celery("test", set_as_current=False)
    app.config_from_object(celery_config(running.system.settings))
    with app.connection_for_write() as connection, connection.channel() as channel:
        channel.queue_delete(queue)


def _active(running: RunningSystem) -> list[str]:
    """The jobs that a real `celery inspect active` shows."""
    command = [sys.executable, "-m", "celery", "-A", "hysds", "inspect", "active", "--json"]
    answer = subprocess.run(
        [*command, "--timeout", "5", "--destination", "w@here"],
        env=os.environ | running.variables,
        capture_output=True,
        check=False,
        text=True,
    )
    if answer.returncode:
        return []  # no worker answered (yet)
    [tasks] = json.loads(answer.stdout).values()
    return [argument for task in tasks for argument in task["args"]]
