"""`hysds down`: the end of the system that stands on this machine."""

from __future__ import annotations

import click

from hysds.cli import crashes, interrupts
from hysds.cli.exits import Exit
from hysds.embedded import standing
from hysds.embedded.home import Home
from hysds.settings import load


@click.command("down", short_help="End the system on this machine.")
@click.option("--now", is_flag=True, help="Don't wait for running jobs: they are stopped and given back.")
def command(now: bool) -> int:
    """End the system that `hysds up` started under HYSDS_HOME, and wait until nothing of it is left.

    Running jobs may end within worker.drain_timeout; after it, or at once with --now, they are stopped and given back:
    the next `hysds up` runs them again. Ctrl-C only stops waiting. Where nothing runs, that is said, and all is well.

    \b
        hysds down
        hysds down --now
    """
    home = Home(load.load().settings.home)
    found = standing.state(home)
    if found is not None and not found.is_standing:
        holder = home.holder()
        who = "" if holder is None else f" (process {holder})"
        click.echo(
            f"hysds: the system under {home.path} belongs to `hysds run`{who}: it ends with its job; to end both, "
            "cancel that",
            err=True,
        )
        return Exit.REFUSED
    if found is None and not home.is_locked():
        click.echo(crashes.told(home) or f"no system runs under {home.path}")
        return Exit.COMPLETED
    with interrupts.by_signals():
        return _end(home, now)


def _end(home: Home, now: bool) -> int:
    try:
        for end in standing.stop(home, now):
            click.echo(end.sentence)
    except KeyboardInterrupt:
        click.echo(f"hysds: left; the system under {home.path} goes on ending", err=True)
        raise
    click.echo(f"nothing runs under {home.path} any more")
    return Exit.COMPLETED
