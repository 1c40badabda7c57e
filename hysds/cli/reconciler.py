"""`hysds reconciler`: the role that finishes what nobody did."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import click

from hysds.bootstrap import System
from hysds.cli import roles
from hysds.cli.type_files import TypeFiles
from hysds.reconciler.beside import Beside
from hysds.reconciler.measuring import Measuring
from hysds.reconciler.watchdogs import Watchdogs
from hysds.settings.metrics import Role

_LAST_S = 5.0
"""What a schedule's creator may still take at the end; a tick that was noted is fired by another reconciler."""
_LAST_LOOK_S = 2.0
"""What a message may still take; one that is cut off may come twice."""
LONGEST_BESIDE_S = 2 * _LAST_S + _LAST_LOOK_S
"""What goes on beside the rounds may take so long at the end."""


@click.command("reconciler", short_help="Start the role that finishes what nobody did.")
def command() -> None:
    """Start the reconciler: it readies jobs whose time has come, ends leases and limits that ran out, forgets what
    the store has, looks for records that contradict each other, and watches for what goes wrong (watchdogs.*), which
    `hysds alarms` shows. Any number may run; a system needs one.

    Where catalog.paths names files of job types it publishes them at its start, and again on SIGHUP; files that can't
    be used change nothing.

    It logs to stderr and runs until SIGTERM or Ctrl-C, which end it after the round under way; a second one at once.

    \b
        hysds reconciler
    """
    roles.log_to_stderr()
    system = System.read()
    roles.log_start("reconciler", system.settings)
    try:
        types = TypeFiles(system.catalog, system.type_files if system.settings.catalog.paths else None)
        with roles.until_told(types.ask) as stop, types.kept():
            firing = Beside(system.schedules.fire_due)
            reconciler = system.reconciler(firing)
            watchdogs = system.watchdogs()
            endpoint = system.expose(Role.RECONCILER)
            roles.tell_ready()
            with _watched(system, watchdogs, stop), _counted(system, stop) if endpoint else nullcontext():
                reconciler.run(stop, Measuring(system.metrics))
            firing.wait(_LAST_S)
    finally:
        system.close()


@contextmanager
def _watched(system: System, watchdogs: Watchdogs, stop: threading.Event) -> Iterator[None]:
    """With the watchdogs beside the duties, which do not wait for a mail server."""
    every_s = system.settings.watchdogs.interval_s
    watch = threading.Thread(target=watchdogs.run, args=(stop, every_s), name="watchdogs", daemon=True)
    watch.start()
    try:
        yield
    finally:
        watch.join(_LAST_LOOK_S if stop.is_set() else 0)


@contextmanager
def _counted(system: System, stop: threading.Event) -> Iterator[None]:
    """With a census beside the duties, for whoever reads the metrics."""
    every_s = system.settings.metrics.interval_s
    census = threading.Thread(target=system.census().run, args=(stop, every_s), name="census", daemon=True)
    census.start()
    try:
        yield
    finally:
        census.join(_LAST_S if stop.is_set() else 0)
