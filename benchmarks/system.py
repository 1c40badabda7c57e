"""A HySDS system as a user has it: a server, a real `celery -A hysds worker`, indexer and reconciler beside it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.processes import CouldNotStart, environment, running
from hysds.bootstrap import System
from hysds.sdk.client import Client
from hysds.settings.model import Settings
from hysds.settings.servers import Ledger

QUEUE = "default"
SLOTS = 2
_READY_WITHIN_S = 30.0
_ENDS_WITHIN_S = 60.0


def spec(command: str) -> dict[str, Any]:
    """A job that is no duplicate of any other."""
    return {
        "job_type": "job:bench",
        "job_queue": QUEUE,
        "enable_dedup": False,
        "payload": {"_command": command},
    }


def client(home: Path, ledger_url: str | None = None) -> Client:
    """A client of the system at `home`. `ledger_url`: another way to its server (a relay); None: the socket there."""
    return Client(System(Settings(home=home, ledger=Ledger(url=ledger_url))))


@contextlib.contextmanager
def roles(
    home: Path, worker_url: str | None = None, slots: int = SLOTS, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Worker, indexer and reconciler, for as long as the block runs; when it begins, the worker has run a job.

    `worker_url`: the worker's way to the server (a relay), bells included; None: the socket at `home`.

    Raises: CouldNotStart
    """
    reach = {} if worker_url is None else {"HYSDS_LEDGER_URL": worker_url}
    with duties(home, **variables), worker(home, slots=slots, **variables, **reach) as process:
        with client(home) as asking:
            try:
                run(asking, "/bin/true", _READY_WITHIN_S)
            except TimeoutError as late:
                raise CouldNotStart("the job worker did not get ready", home / "bench.log") from late
        yield process


@contextlib.contextmanager
def duties(home: Path, **variables: str) -> Iterator[None]:
    """Indexer and reconciler."""
    told = environment(HYSDS_HOME=str(home), **variables)
    with contextlib.ExitStack() as started:
        for role in ("indexer", "reconciler"):
            command = [sys.executable, "-m", "hysds", role]
            started.enter_context(running(command, home, told, f"{role}.log"))
        yield


@contextlib.contextmanager
def worker(
    home: Path, name: str = "bench", slots: int = SLOTS, queue: str = QUEUE, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A job worker, which may not be ready yet."""
    command = [sys.executable, "-m", "celery", "-A", "hysds", "worker"]
    command += ["-Q", queue, "-c", str(slots), "-n", f"{name}@%h", "-l", "warning"]
    with running(command, home, environment(HYSDS_HOME=str(home), **variables), f"{name}.log") as process:
        yield process


@contextlib.contextmanager
def task_roles(
    home: Path, allow: str, slots: int = SLOTS, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Task worker, indexer and reconciler; when it begins, the worker has run a task that `allow` names.

    Raises: CouldNotStart
    """
    command = [sys.executable, "-m", "celery", "-A", "hysds.celery:task_app", "worker"]
    command += ["-Q", "tasks", "-c", str(slots), "-n", "bench@%h", "-l", "warning"]
    told = environment(HYSDS_HOME=str(home), HYSDS_TASKS_ALLOW=allow, **variables)
    with (
        duties(home, **variables),
        running(command, home, told, "tasks.log") as process,
        client(home) as asking,
    ):
        try:
            asking.run_task(f"{allow}.nothing").result(_READY_WITHIN_S)
        except TimeoutError as late:
            raise CouldNotStart("the task worker did not get ready", home / "tasks.log") from late
        yield process


def run(client: Client, command: str, timeout_s: float = _ENDS_WITHIN_S) -> dict[str, Any]:
    """The document of a job that ran this command.

    Raises: RuntimeError where it did not complete, TimeoutError where it did not end.
    """
    job = client.wait(client.submit(spec(command)).id, timeout_s)
    if job["status"] != "job-completed":
        raise RuntimeError(f"the job {job['id']} ended as {job['status']}: {job.get('error')}")
    return job
