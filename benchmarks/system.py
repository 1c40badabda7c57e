"""A HySDS system as a user has it: a server, a real `celery -A hysds worker`, indexer and reconciler beside it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.processes import CouldNotStart, environment, running
from hysds.bootstrap import System
from hysds.sdk.client import Client
from hysds.settings.model import Ledger, Settings

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
def roles(home: Path, worker_url: str | None = None) -> Iterator[None]:
    """Worker, indexer and reconciler, for as long as the block runs; when it begins, the worker has run a job.

    `worker_url`: the worker's way to the server (a relay), bells included; None: the socket at `home`.

    Raises: CouldNotStart
    """
    variables = environment(HYSDS_HOME=str(home))
    with contextlib.ExitStack() as started:
        for role in ("indexer", "reconciler"):
            command = [sys.executable, "-m", "hysds", role]
            started.enter_context(running(command, home, variables, f"{role}.log"))
        if worker_url is not None:
            variables["HYSDS_LEDGER_URL"] = worker_url
        started.enter_context(_worker(home, variables))
        yield


@contextlib.contextmanager
def _worker(home: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """A job worker that has run a job.

    Raises: CouldNotStart
    """
    command = [sys.executable, "-m", "celery", "-A", "hysds", "worker"]
    command += ["-Q", QUEUE, "-c", str(SLOTS), "-n", "bench@%h", "-l", "warning"]
    with running(command, home, variables, "worker.log"):
        with client(home) as asking:
            try:
                run(asking, "/bin/true", _READY_WITHIN_S)
            except TimeoutError as late:
                raise CouldNotStart("the job worker did not get ready", home / "worker.log") from late
        yield


def run(client: Client, command: str, timeout_s: float = _ENDS_WITHIN_S) -> dict[str, Any]:
    """The document of a job that ran this command.

    Raises: RuntimeError where it did not complete, TimeoutError where it did not end.
    """
    job = client.wait(client.submit(spec(command)).id, timeout_s)
    if job["status"] != "job-completed":
        raise RuntimeError(f"the job {job['id']} ended as {job['status']}: {job.get('error')}")
    return job
