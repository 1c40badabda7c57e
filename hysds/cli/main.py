"""The `hysds` command: which commands there are, and the outer shell around each.

Importing this costs click and no more; a command's own module is loaded when it is used.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TextIO

import click

import hysds
from hysds.cli import standard_streams
from hysds.cli.exits import Exit
from hysds.cli.lazy import Entry, LazyGroup

COMMANDS = {
    "run": Entry("hysds.cli.run", "Run a job here and show it as it goes."),
    "submit": Entry("hysds.cli.submit", "Submit jobs and print their ids."),
    "status": Entry("hysds.cli.status", "Show where jobs stand; without an id, what of the system runs."),
    "jobs": Entry("hysds.cli.jobs", "Search jobs, running and ended."),
    "logs": Entry("hysds.cli.logs", "Print a job's output; with -f, as it comes."),
    "explain": Entry("hysds.cli.explain", "Say why a job stands where it stands."),
    "cancel": Entry("hysds.cli.cancel", "End jobs, waiting or running."),
    "retry": Entry("hysds.cli.retry", "Do ended jobs again, as new ones."),
    "requeue": Entry("hysds.cli.requeue", "Move jobs that have not started to another queue."),
    "priority": Entry("hysds.cli.priority", "Have jobs that have not started come earlier or later."),
    "purge": Entry("hysds.cli.purge", "Take ended jobs out for good."),
    "queues": Entry("hysds.cli.queues", "Show what stands in the queues; pause and resume one."),
    "schedule": Entry(
        "hysds.cli.schedule", "Submit a job again and again, at the times of a cron expression."
    ),
    "rules": Entry("hysds.cli.rules", "Have jobs submitted when something happens."),
    "types": Entry("hysds.cli.types", "Show kinds of job, and register more."),
    "workers": Entry("hysds.cli.workers", "Show who takes jobs, and why one takes none."),
    "alarms": Entry("hysds.cli.alarms", "Show what the watchdogs found wrong."),
    "top": Entry("hysds.cli.top", "Show queues, workers and running jobs, live."),
    "events": Entry("hysds.cli.events", "Search what happened beside jobs."),
    "up": Entry("hysds.cli.up", "Start a system on this machine."),
    "down": Entry("hysds.cli.down", "End the system on this machine."),
    "worker": Entry("hysds.cli.worker", "Start a worker here; drain and resume any."),
    "indexer": Entry("hysds.cli.indexer", "Start the role that makes jobs searchable."),
    "reconciler": Entry("hysds.cli.reconciler", "Start the role that finishes what nobody did."),
    "index": Entry("hysds.cli.index", "Show, check and make again what the store holds."),
    "chaos": Entry("hysds.cli.chaos", "Torment a system of its own and check every guarantee."),
    "doctor": Entry("hysds.cli.doctor", "Look for what is wrong, and mend it."),
    "config": Entry("hysds.cli.config", "Show the settings, render them, reload job types."),
    "completion": Entry("hysds.cli.completion", "Print the script with which a shell completes."),
}

_HELP = """Run jobs on GPU machines: a job is a JSON file, and HySDS drops duplicates, queues it, runs it where it fits,
and records one outcome.

\b
    hysds run job.json              run a job here and watch it
    hysds submit job.json           hand it to the system, print its id
    hysds logs -f ID                watch it
    hysds jobs --status failed      find those that failed

Exit codes: 0 completed, 1 failed, 2 refused, 3 revoked, 4 a part of the system can't be reached, 130 interrupted.
"""


def make_group() -> LazyGroup:
    """The command with all its commands."""
    group = LazyGroup("hysds", entries=COMMANDS, help=_HELP, context_settings={"max_content_width": 100})
    return click.version_option(hysds.__version__, prog_name="hysds")(group)


def main(arguments: Sequence[str] | None = None, group: LazyGroup | None = None) -> int:
    """Carry out a command line; answers the exit code. Arguments of None are the process's own, a group of None is
    that of all commands."""
    standard_streams.fill()
    for stream in (sys.stdout, sys.stderr):
        _print_everything(stream)
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        code = _invoke(make_group() if group is None else group, given)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_quietly()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001  the outer shell: what nobody expected is shown whole
        # Python wraps what comes up while a class is made, and an interrupt may.
        return Exit.INTERRUPTED if isinstance(error.__cause__, KeyboardInterrupt) else _tell(error)
    return code


def _invoke(group: LazyGroup, arguments: list[str]) -> int:
    try:
        with group.make_context("hysds", arguments) as context:
            return int(context.command.invoke(context) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help(), err=True)
        return Exit.REFUSED
    except click.exceptions.Exit as leaving:
        return leaving.exit_code


def _tell(error: Exception) -> int:
    # Loaded when needed: every error of HySDS is known there, and the help needs none.
    expected: tuple[str, int] | None = import_module("hysds.cli.faults").told(error)
    if expected is None:
        sys.excepthook(type(error), error, error.__traceback__)
        return Exit.FAILED
    text, code = expected
    with suppress(OSError):  # where stderr is full too, the code still says it
        click.echo(text, err=True)
    if isinstance(error, OSError):
        _close_quietly()
    return code


def _print_everything(stream: TextIO | object) -> None:
    """A terminal that has no letter for something gets its escape, not an error."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _close_quietly() -> None:
    """Nobody takes what we write: what is still buffered goes nowhere, and Python does not complain at its exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(null, stream.fileno())
    os.close(null)
