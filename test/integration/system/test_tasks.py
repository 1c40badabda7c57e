"""Tasks and submissions over the broker, in whole systems of real processes, on each broker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from hysds.core.errors import InvalidSpec, Refused, TaskFailed
from hysds.lib.process.guard import tree
from hysds.sdk.tasks import RUN_TASK, SUBMIT_JOB, do_submit_job, do_submit_task
from hysds.settings.celery import celery_config, result_config
from services.rabbitmq import RabbitServer
from services.redis import RedisOptions, RedisServer
from worlds.system import RunningSystem
from worlds.task_worker import FUNCTIONS

_PATIENCE_S = 120.0
_PATH = f"{os.environ.get('PYTHONPATH', '')}:{FUNCTIONS}"


class TaskSystem:
    """A system whose task workers and orchestrators hear queues of the test's own."""

    def __init__(self, running: RunningSystem, name: str) -> None:
        self.running = running
        self.client = running.client
        self.system = running.system
        self.tasks, self.submissions = f"{name}-tasks", f"{name}-jobs"

    def worker(self, name: str = "tasks", slots: int = 2) -> subprocess.Popen[bytes]:
        """A real task worker."""
        return self._start(name, self.tasks, slots)

    def orchestrator(self, name: str = "orchestrator") -> subprocess.Popen[bytes]:
        """The real role that takes in job specs."""
        return self._start(name, self.submissions, 1)

    def _start(self, name: str, queue: str, slots: int) -> subprocess.Popen[bytes]:
        command = ("-m", "celery", "-A", "hysds.celery:task_app", "worker", "-Q", queue, "-c", str(slots))
        return self.running.start(name, *command, "-n", f"{name}@here", "--loglevel", "INFO")

    @contextlib.contextmanager
    def producer(self) -> Iterator[Any]:
        """Somebody who knows Celery alone."""
        settings = self.system.settings
        app = Celery("producer", set_as_current=False)
        app.config_from_object(celery_config(settings) | result_config(settings))
        try:
            yield app
        finally:
            app.backend.result_consumer.stop()  # Celery leaves its connection open
            app.close()

    def status(self, job_id: str) -> str:
        [kept] = self.system.ledger.kept([job_id])
        return "" if kept is None else kept.record.status.value


@pytest.fixture
def tasks(systems: Callable[..., RunningSystem], broker_url: str, unique_name: str) -> TaskSystem:
    """A system on each broker in turn."""
    return _made(systems(broker_url, **_variables(unique_name)), unique_name)


@pytest.fixture
def tasks_on_redis(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> TaskSystem:
    """One whose broker is a Redis."""
    return _made(systems(f"{valkey_server.url[:-1]}1", **_variables(unique_name)), unique_name)


@pytest.fixture
def tasks_on_rabbit(
    systems: Callable[..., RunningSystem], rabbitmq_server: RabbitServer, unique_name: str
) -> TaskSystem:
    """One whose broker is a RabbitMQ."""
    return _made(systems(rabbitmq_server.url, **_variables(unique_name)), unique_name)


def _variables(name: str) -> dict[str, str]:
    return {
        "HYSDS_TASKS_ALLOW": "light,broken",
        "HYSDS_TASKS_QUEUES": f"{name}-tasks",
        "HYSDS_TASKS_SUBMIT_QUEUE": f"{name}-jobs",
        "PYTHONPATH": _PATH,
    }


def _made(running: RunningSystem, name: str) -> TaskSystem:
    return TaskSystem(running, name)


def _spec(**fields: Any) -> dict[str, Any]:
    payload = {"_command": "true", "nonce": str(uuid.uuid4())}
    return {"job_type": "job:x", "job_queue": "nobody", "payload": payload, **fields}


def test_a_program_gets_the_result_of_a_task(tasks: TaskSystem) -> None:
    """By the client; its failure is an error that says why, and a repeat under the same id is the same task."""
    tasks.worker()
    job_id = str(uuid.uuid4())

    assert tasks.client.run_task("light.add", 1, b=2).result(_PATIENCE_S) == 3
    handles = tasks.client.submit_tasks([{"function": "light.give", "args": [n]} for n in range(20)])
    assert [handle.result(_PATIENCE_S) for handle in handles] == list(range(20))
    with pytest.raises(TaskFailed, match=r"has no result \(user\): ValueError: on purpose"):
        tasks.client.run_task("light.fail").result(_PATIENCE_S)
    for _ in range(2):
        assert (
            tasks.client.submit_task({"function": "light.add", "args": [2]}, job_id).result(_PATIENCE_S) == 2
        )
    assert len(tasks.client.job(job_id)["attempts"]) == 1
    with pytest.raises(InvalidSpec, match=r"os\.system is in no module"):
        tasks.client.run_task("os.system", "true")


def test_a_producer_that_only_reaches_the_broker_gets_results_and_errors(tasks: TaskSystem) -> None:
    """Under HySDS's names, by the twins of its functions; refused ones have a document under the message's id."""
    tasks.worker()
    tasks.orchestrator()

    assert (
        do_submit_task({"function": "light.add", "args": [3, 4]}, system=tasks.system).result(_PATIENCE_S)
        == 7
    )
    with pytest.raises(TaskFailed, match="on purpose"):
        do_submit_task({"function": "light.fail"}, system=tasks.system).result(_PATIENCE_S)
    with pytest.raises(TaskFailed, match="set is not JSON serializable"):
        do_submit_task({"function": "light.odd", "args": ["set"]}, system=tasks.system).result(_PATIENCE_S)
    with pytest.raises(Refused, match=r"\$\.sys_path"):
        do_submit_task({"function": "light.add", "sys_path": "/x"}, system=tasks.system).result(_PATIENCE_S)

    sent = do_submit_job(_spec(priority=3), system=tasks.system)
    assert sent.result(_PATIENCE_S) == sent.id
    assert tasks.client.job(sent.id)["job"]["priority"] == 3
    refused = do_submit_job({"job_type": "job:x", "payload": {}}, system=tasks.system)
    with pytest.raises(Refused, match=r"\$\.payload\._command: is required"):
        refused.result(_PATIENCE_S)
    told = tasks.client.job(refused.id)
    assert (told["status"], told["failure_class"]) == ("job-failed", "invalid")


def test_a_message_that_comes_twice_submits_once_and_is_answered(tasks: TaskSystem) -> None:
    """The job's id is the message's; what Celery could do beside a call is refused, not left out."""
    tasks.worker()
    tasks.orchestrator()
    path = tasks.running.home / "lines"
    task_id, job_id, odd_id = (str(uuid.uuid4()) for _ in range(3))
    spec, task = _spec(), {"function": "light.append", "args": [str(path), "once"], "queue": tasks.tasks}
    with tasks.producer() as app:
        for _ in range(2):
            again = app.send_task(SUBMIT_JOB, args=(spec,), queue=tasks.submissions, task_id=job_id)
            assert again.get(timeout=_PATIENCE_S) == job_id
            again = app.send_task(RUN_TASK, args=(task,), queue=tasks.tasks, task_id=task_id)
            assert again.get(timeout=_PATIENCE_S) is None
        odd = app.send_task(RUN_TASK, args=(task,), queue=tasks.tasks, task_id=odd_id, countdown=60)
        with pytest.raises(Refused, match="not_before"):
            odd.get(timeout=_PATIENCE_S)

    assert path.read_text() == "once\n"
    assert tasks.status(job_id) == "job-queued"
    assert tasks.status(odd_id) == ""


def test_a_message_s_priority_counts_where_the_spec_names_none(tasks_on_rabbit: TaskSystem) -> None:
    """What a spec says of itself stands."""
    tasks = tasks_on_rabbit
    tasks.orchestrator()
    with tasks.producer() as app:
        asked = [
            app.send_task(SUBMIT_JOB, args=(spec,), queue=tasks.submissions, priority=6)
            for spec in (_spec(), _spec(priority=2), _spec(priority=0))
        ]
        ids = [one.get(timeout=_PATIENCE_S) for one in asked]

    assert [tasks.client.job(job_id)["job"]["priority"] for job_id in ids] == [6, 2, 0]


def test_a_cancelled_task_is_told_to_whoever_waits(tasks_on_rabbit: TaskSystem) -> None:
    """Queued, where no worker could tell, and running, where its child is ended."""
    tasks = tasks_on_rabbit
    tasks.orchestrator()
    tasks.worker()
    with tasks.producer() as app:
        task = {"function": "light.add", "args": [1], "queue": "nobody"}
        queued = app.send_task(RUN_TASK, args=(task,), queue=tasks.tasks)
        tasks.running.until(
            lambda: tasks.status(queued.id) == "job-queued", lambda: tasks.running.log("tasks")
        )
        tasks.client.cancel([queued.id])
        with pytest.raises(TaskFailed, match="cancelled"):
            queued.get(timeout=_PATIENCE_S)

        pipe = tasks.running.home / "pipe"
        os.mkfifo(pipe)
        running = app.send_task(
            RUN_TASK, args=({"function": "light.wait", "args": [str(pipe)]},), queue=tasks.tasks
        )
        with pipe.open("wb"):
            pid = int(Path(f"{pipe}.pid").read_text())
            tasks.client.cancel([running.id])
            with pytest.raises(TaskFailed, match="cancelled"):
                running.get(timeout=_PATIENCE_S)
    assert not tree.is_alive(pid)


def test_a_killed_worker_s_task_runs_again_elsewhere_at_once(tasks_on_redis: TaskSystem) -> None:
    """Its guardian ends the child and tells the ledger; no lease is waited for."""
    tasks = tasks_on_redis
    first = tasks.worker("first")
    pipe = tasks.running.home / "pipe"
    os.mkfifo(pipe)
    handle = tasks.client.run_task("light.wait", str(pipe))
    with pipe.open("wb"):
        pid = int(Path(f"{pipe}.pid").read_text())
        first.kill()
        first.wait()
        tasks.running.until(lambda: not tree.is_alive(pid), lambda: "the child of a killed worker lives on")
    tasks.worker("second")
    with pipe.open("wb") as writing:
        writing.write(b"the second time")

    assert handle.result(_PATIENCE_S) == "the second time"
    attempts = tasks.client.job(handle.id)["attempts"]
    assert [one.get("failure") for one in attempts] == ["worker-lost", None]


def test_a_drained_worker_lets_its_task_end(tasks_on_redis: TaskSystem) -> None:
    """SIGTERM takes nothing more, and leaves with 0 once nothing runs."""
    tasks = tasks_on_redis
    worker = tasks.worker()
    pipe = tasks.running.home / "pipe"
    os.mkfifo(pipe)
    handle = tasks.client.run_task("light.wait", str(pipe))
    with pipe.open("wb") as writing:
        worker.send_signal(signal.SIGTERM)
        tasks.running.until(
            lambda: "draining" in tasks.running.log("tasks"), lambda: tasks.running.log("tasks")
        )
        writing.write(b"to the end")

    assert handle.result(_PATIENCE_S) == "to the end"
    assert worker.wait(_PATIENCE_S) == 0
    assert len(tasks.client.job(handle.id)["attempts"]) == 1


def test_a_submission_outlives_the_orchestrator_that_had_heard_it(
    systems: Callable[..., RunningSystem], start_valkey: Any, rabbitmq_server: RabbitServer, unique_name: str
) -> None:
    """Killed with the message in hand and the ledger silent, it leaves the message to the next one: one job, one
    answer."""
    ledger = start_valkey(RedisOptions())
    made = _made(systems(rabbitmq_server.url, ledger.url, **_variables(unique_name)), unique_name)
    first = made.orchestrator("first")
    warm = do_submit_job(_spec(), system=made.system)
    assert warm.result(_PATIENCE_S) == warm.id
    ledger.send(signal.SIGSTOP)
    try:
        sent = do_submit_job(_spec(), system=made.system)
        made.running.until(lambda: made.system.bell.waiting(made.submissions) == 0, lambda: "nobody took it")
        first.kill()
        first.wait()
    finally:
        ledger.send(signal.SIGCONT)
    made.orchestrator("second")

    assert sent.result(_PATIENCE_S) == sent.id
    [queue] = made.system.ledger.queues()
    assert (queue.queue, queue.ready) == ("nobody", 2)


@pytest.mark.parametrize(
    ("app", "queue", "right"),
    [
        ("hysds.celery:task_app", "gpu", "celery -A hysds worker -Q gpu -c 1"),
        ("hysds", "mail", "celery -A hysds.celery:task_app worker -Q mail -c 1"),
    ],
)
def test_a_queue_of_the_other_kind_is_refused_with_the_right_command(
    tmp_path: Path, app: str, queue: str, right: str
) -> None:
    """As the settings name queues; nothing is reached for that."""
    variables = {"HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": "", "HYSDS_WORKER_QUEUES": "gpu"}
    run = subprocess.run(
        [sys.executable, "-m", "celery", "-A", app, "worker", "-Q", queue, "-c", "1"],
        env={**os.environ, **variables, "HYSDS_TASKS_QUEUES": "mail"},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )

    assert run.returncode != 0
    assert f"the right command: {right}" in run.stderr, json.dumps(run.stderr)
