"""The peer: a Celery app of one task that does nothing, with results, on the same server as ours.

Its worker starts with `celery -A benchmarks.raw_celery worker` and learns from its environment where the broker is.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery import Celery
from celery.exceptions import TimeoutError as CeleryTimeoutError

from benchmarks.processes import CouldNotStart, environment, running
from benchmarks.server import Server

BROKER, RESULTS = "BENCH_BROKER_URL", "BENCH_RESULTS_URL"
BROKER_DATABASE, RESULTS_DATABASE = 2, 3
"""HySDS has the first two: its ledger and its bells."""
SLOTS = 2
_READY_WITHIN_S = 30.0


def make_app(broker_url: str, results_url: str) -> Any:
    """The app, as Celery is configured when nobody says anything; its default queue has a name of its own."""
    made = Celery("bench", broker=broker_url, backend=results_url, set_as_current=False)
    made.conf.update(task_default_queue="raw", worker_enable_remote_control=False)
    made.task(name="bench.nothing")(nothing)
    return made


def nothing(*_: object) -> int:
    """What the task does."""
    return 0


app = make_app(os.environ.get(BROKER, "memory://"), os.environ.get(RESULTS, "cache+memory://"))


def app_on(server: Server, socket: Path | None = None) -> Any:
    """The sender's app. `socket`: that of a relay in front of the server."""
    return make_app(server.kombu_url(BROKER_DATABASE, socket), server.kombu_url(RESULTS_DATABASE, socket))


@contextlib.contextmanager
def worker(server: Server, socket: Path | None = None) -> Iterator[Any]:
    """The sender's app, while a worker of it runs; the worker has run a task.

    Raises: CouldNotStart
    """
    urls = server.kombu_url(BROKER_DATABASE, socket), server.kombu_url(RESULTS_DATABASE, socket)
    with process(server.home, *urls) as (_, sender):
        yield sender


@contextlib.contextmanager
def process(
    home: Path,
    broker_url: str,
    results_url: str,
    slots: int = SLOTS,
    bare: bool = False,
    pool: str = "threads",
) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    """A worker of threads (`pool`: of what else) and the sender's app; the worker has run a task. `bare`: with gossip
    and mingle, as Celery starts one that nobody configured.

    Raises: CouldNotStart
    """
    variables = environment(**{BROKER: broker_url, RESULTS: results_url})
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.raw_celery", "worker", "-P", pool]
    command += ["-c", str(slots), "-n", "raw@%h", "-l", "warning"]
    command += [] if bare else ["--without-gossip", "--without-mingle"]
    with running(command, home, variables, "raw.log") as started:
        sender = make_app(broker_url, results_url)
        try:
            try:
                run(sender, _READY_WITHIN_S)
            except CeleryTimeoutError as late:
                raise CouldNotStart("the raw Celery worker did not get ready", home / "raw.log") from late
            yield started, sender
        finally:
            sender.close()


def run(sender: Any, timeout_s: float = 60.0) -> None:
    """One task, to its result."""
    sender.tasks["bench.nothing"].apply_async().get(timeout=timeout_s)
