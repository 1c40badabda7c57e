"""`hysds index archive`: bring into the archive what it lacks."""

from __future__ import annotations

from contextlib import closing

import click

from hysds.bootstrap import System
from hysds.cli import index_steps
from hysds.cli.exits import Exit
from hysds.core.errors import Refused
from hysds.indexer import backfilling
from hysds.lib import units


@click.command("archive", short_help="Bring into the archive what it lacks.")
def command() -> int:
    """Append to the archive the documents of ended jobs that the store has and the archive lacks: those that ended
    before archive.url was set. What ends from then on an indexer archives. It may be repeated.

    Exits with 0, or with 1 where a part of the archive can't be read.

    \b
        HYSDS_ARCHIVE_URL="$PWD/archive" hysds index archive
    """
    unread: list[str] = []
    with closing(System.read()) as system:
        if system.archive is None:
            raise Refused("there is no archive: set archive.url")
        system.store.refresh()
        count = backfilling.fill(system.store, system.archive, unread.append, index_steps.Steps())
    click.echo(f"{units.counted(count, 'document')} appended")
    index_steps.warn(unread, "places of the archive that can't be read")
    return Exit.FAILED if unread else Exit.COMPLETED
