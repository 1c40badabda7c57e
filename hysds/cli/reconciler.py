"""`hysds reconciler`: the role that finishes what nobody did."""

from __future__ import annotations

import click

from hysds.bootstrap import System
from hysds.cli import roles


@click.command("reconciler", short_help="Start the role that finishes what nobody did.")
def command() -> None:
    """Start the reconciler: it readies jobs whose time has come, ends leases and limits that ran out, forgets what
    the store has, and looks for records that contradict each other. Any number may run; a system needs one.

    It logs to stderr and runs until SIGTERM or Ctrl-C, which end it after the round under way; a second one at once.

    \b
        hysds reconciler
    """
    roles.log_to_stderr()
    system = System.read()
    roles.log_start("reconciler", system.settings)
    try:
        with roles.until_told() as stop:
            reconciler = system.reconciler()
            roles.tell_ready()
            reconciler.run(stop)
    finally:
        system.close()
