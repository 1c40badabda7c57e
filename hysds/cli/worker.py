"""`hysds worker`: becomes the Celery worker that an operator would start by hand.

The process is replaced (exec), so that what runs is exactly `celery -A hysds worker …`: same signals, same name in
lists of processes, one interpreter.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from hysds.bootstrap import System
from hysds.cli import offers, work_dir, worker_orders
from hysds.settings import environment, load
from hysds.settings.load import Loaded
from hysds.settings.sources import DEFAULT


@click.group("worker", short_help="Start a worker here; drain and resume any.")
def command() -> None:
    """Start a worker on this machine, which runs until SIGTERM or Ctrl-C, and these let running jobs end first; or
    have a worker, wherever it runs, take no more jobs for a while.

    \b
        hysds worker job --queues gpu --slots 2
        hysds worker drain w1 --reason 'new kernel'
        hysds worker resume w1
    """


command.add_command(worker_orders.drain)
command.add_command(worker_orders.resume)


@command.command("job", short_help="Start a worker that runs jobs.")
@click.option(
    "--queues",
    metavar="NAMES",
    shell_complete=offers.queues,
    help="Take jobs of these queues (commas between). Default: worker.queues.",
)
@click.option("--slots", type=int, help="Run so many one-slot jobs at a time. Default: worker.slots.")
@click.option("--name", help="What the worker is called, as Celery's -n. Default: worker.name.")
@click.option(
    "--loglevel",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
    help="What Celery and HySDS log, on stderr. Default: what HYSDS_LOG says, else INFO.",
)
def job(queues: str | None, slots: int | None, name: str | None, loglevel: str | None) -> NoReturn:
    """Start a worker that runs jobs: the same as `celery -A hysds worker -Q gpu -c 2 -n NAME`.

    The first SIGTERM, SIGINT or SIGHUP drains: nothing new is claimed, running jobs may end within
    worker.drain_timeout and are given back after it. The second ends them at once; another worker runs them again.

    \b
        hysds worker job
        hysds worker job --queues gpu,default --slots 4 --name gpu1
    """
    loaded = load.load({"worker.queues": queues, "worker.slots": slots, "worker.name": _bare(name)})
    work_dir.check(loaded)
    _reach(loaded)
    celery = [sys.executable, "-m", "celery", *arguments(loaded, name), "--loglevel", loglevel or "INFO"]
    # What is asked for here stands over a level that HYSDS_LOG names; its rooms and its form hold all the same.
    words = (*(loaded.settings.log or ()), *([loglevel.lower()] if loglevel else []))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(celery[0], celery, environment.logging_by(words))


def _reach(loaded: Loaded) -> None:
    """Celery would say the same in many lines. Raises: Unreachable, InvalidSettings."""
    system = System(loaded.settings)
    try:
        _ = system.ledger
    finally:
        system.close()


def arguments(loaded: Loaded, name: str | None) -> list[str]:
    """Celery's own, from the settings; `name` as it was asked for, which may hold a host."""
    worker = loaded.settings.worker
    words = ["-A", "hysds", "worker", "-Q", ",".join(worker.queues), "-c", str(worker.slots)]
    if name is not None:
        words += ["-n", name]
    elif loaded.origins["worker.name"] != DEFAULT:
        words += ["-n", worker.name]
    return words


def _bare(name: str | None) -> str | None:
    """The part of a node's name that is ours to check; the host behind the @ is Celery's."""
    return name.partition("@")[0] if name else name
