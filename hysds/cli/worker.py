"""`hysds worker`: becomes the Celery worker that an operator would start by hand.

The process is replaced (exec), so that what runs is exactly `celery -A hysds worker …`: same signals, same name in
lists of processes, one interpreter.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
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
        hysds worker task --queues tasks
        hysds worker drain w1 --reason 'new kernel'
        hysds worker resume w1
    """


command.add_command(worker_orders.drain)
command.add_command(worker_orders.resume)

_NAME = click.option("--name", help="What the worker is called, as Celery's -n. Default: from worker.name.")
_LEVEL = click.option(
    "--loglevel",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
    help="What Celery and HySDS log, on stderr. Default: what HYSDS_LOG says, else INFO.",
)


@command.command("job", short_help="Start a worker that runs jobs.")
@click.option(
    "--queues",
    metavar="NAMES",
    shell_complete=offers.queues,
    help="Take jobs of these queues (commas between). Default: worker.queues.",
)
@click.option("--slots", type=int, help="Run so many one-slot jobs at a time. Default: worker.slots.")
@_NAME
@_LEVEL
def job(queues: str | None, slots: int | None, name: str | None, loglevel: str | None) -> NoReturn:
    """Start a worker that runs jobs: the same as `celery -A hysds worker -Q gpu -c 2 -n NAME`.

    The first SIGTERM, SIGINT or SIGHUP drains: nothing new is claimed, running jobs may end within
    worker.drain_timeout and are given back after it. The second ends them at once; another worker runs them again.

    \b
        hysds worker job
        hysds worker job --queues gpu,default --slots 4 --name gpu1
    """
    loaded = load.load({"worker.queues": queues, "worker.slots": slots, "worker.name": _bare(name)})
    tasks = loaded.settings.tasks
    _refuse_other(loaded.settings.worker.queues, tasks.queues, "tasks", "task")
    _refuse_other(loaded.settings.worker.queues, (tasks.submit_queue,), "calls", "orchestrator")
    _become(loaded, arguments(loaded, name), loglevel)


@command.command("task", short_help="Start a worker that runs tasks.")
@click.option(
    "--queues",
    metavar="NAMES",
    shell_complete=offers.queues,
    help="Take tasks of these queues (commas between). Default: tasks.queues.",
)
@click.option("--concurrency", type=int, help="Run so many tasks at a time. Default: tasks.concurrency.")
@_NAME
@_LEVEL
def task(queues: str | None, concurrency: int | None, name: str | None, loglevel: str | None) -> NoReturn:
    """Start a worker that runs tasks, light Python calls: the same as
    `celery -A hysds.celery:task_app worker -Q tasks -c 2 -n NAME`.

    Which functions may be called is said by tasks.allow; each call runs in a child process that was made before. What
    producers send to `hysds.task_worker.run_task` in these queues of the broker is taken in here too. Signals are as
    for `hysds worker job`.

    \b
        HYSDS_TASKS_ALLOW=mytasks hysds worker task
        hysds worker task --queues rules,mail --concurrency 4
    """
    given = {"tasks.queues": queues, "tasks.concurrency": concurrency, "worker.name": _bare(name)}
    loaded = load.load(given)
    heard = loaded.settings.tasks.queues
    _refuse_other(heard, loaded.settings.worker.queues, "jobs", "job")
    _become(loaded, task_arguments(loaded, name, heard, "tasks"), loglevel)


@command.command("orchestrator", short_help="Carry out rules; take in jobs that come over the broker.")
@click.option(
    "--queues", metavar="NAME", help="Hear calls in this queue of the broker. Default: tasks.submit_queue."
)
@click.option("--concurrency", type=int, help="Take in so many at a time. Default: tasks.concurrency.")
@_NAME
@_LEVEL
def orchestrator(
    queues: str | None, concurrency: int | None, name: str | None, loglevel: str | None
) -> NoReturn:
    """Take in job specs that programs send to `hysds.orchestrator.submit_job` over the broker, for those that reach no
    ledger: the same as `celery -A hysds.celery:task_app worker -Q jobs_processed -c 2 -n NAME`.

    A job's id is that of its message, so one that is handed out twice is submitted once. A message is acknowledged
    when the ledger has its job. Here too the rules are carried out that `hysds rules` publishes.

    \b
        hysds worker orchestrator
        hysds worker orchestrator --queues jobs_processed --concurrency 2
    """
    given = {"tasks.submit_queue": queues, "tasks.concurrency": concurrency, "worker.name": _bare(name)}
    loaded = load.load(given)
    heard = (loaded.settings.tasks.submit_queue,)
    _refuse_other(heard, loaded.settings.worker.queues, "jobs", "job")
    _become(loaded, task_arguments(loaded, name, heard, "orchestrator"), loglevel)


def _refuse_other(heard: Sequence[str], others: Sequence[str], what: str, role: str) -> None:
    """Celery would end with 1, and name a command of its own. Raises: UsageError for a queue of another kind."""
    wrong = [name for name in heard if name in others]
    if wrong:
        queues = ",".join(wrong)
        raise click.UsageError(
            f"--queues: {queues}: for {what}, which this worker can't take; start: hysds worker {role} --queues "
            f"{shlex.quote(queues)}"
        )


def _become(loaded: Loaded, arguments: list[str], loglevel: str | None) -> NoReturn:
    """The Celery worker with these arguments. Raises: InvalidSettings, Unreachable where it could not work."""
    work_dir.check(loaded)
    _reach(loaded)
    celery = [sys.executable, "-m", "celery", *arguments, "--loglevel", loglevel or "INFO"]
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


def task_arguments(loaded: Loaded, name: str | None, queues: tuple[str, ...], role: str) -> list[str]:
    """As `arguments`, of a worker of tasks. It has a name of its own: a job worker may run beside it."""
    settings = loaded.settings
    words = [
        "-A",
        "hysds.celery:task_app",
        "worker",
        "-Q",
        ",".join(queues),
        "-c",
        str(settings.tasks.concurrency),
    ]
    if name is not None:
        return [*words, "-n", name]
    if loaded.origins["worker.name"] != DEFAULT:
        return [*words, "-n", f"{role}-{settings.worker.name}"]
    return [*words, "-n", f"{role}@%h"]


def _bare(name: str | None) -> str | None:
    """The part of a node's name that is ours to check; the host behind the @ is Celery's."""
    return name.partition("@")[0] if name else name
