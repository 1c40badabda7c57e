"""`hysds index rebuild`: make the store's documents again."""

from __future__ import annotations

from contextlib import closing

import click

from hysds.bootstrap import System
from hysds.cli import index_steps
from hysds.cli.exits import Exit
from hysds.indexer import rebuilding
from hysds.indexer.rebuilding import Made, Target


@click.command("rebuild", short_help="Make the store's documents again.")
def command() -> int:
    """Make the documents of a store that was lost, or that lacks some: those of ended jobs from the archive
    (archive.url), all that the ledger knows from there. Nothing in the store is replaced by anything older, so it may
    be done while the system works, and again after an interruption.

    What ended before there was an archive, and was forgotten by the ledger, is not made. Neither are documents of
    events and workers; workers tell of themselves again.

    Exits with 0, or with 1 where something could not be read or was refused.

    \b
        hysds index rebuild && hysds index verify --wait 1m
    """
    made, steps = Made(), index_steps.Steps()
    with closing(System.read()) as system:
        if system.indices is not None:
            known = system.ledger.generations()
            system.indices.init(known.oldest, known.current)
        if system.archive is None:
            click.echo(
                "warning: there is no archive (archive.url): what the ledger forgot is not made", err=True
            )
        else:
            target = Target(system.store, system.ledger, system.indices)
            rebuilding.from_archive(system.archive, target, made, steps)
        rebuilding.from_ledger(system.ledger, system.store, made, steps)
        system.store.refresh()
    click.echo(f"{made.read:>12,}  documents in the archive")
    click.echo(f"{made.projected:>12,}  records in the ledger")
    index_steps.tell(made)
    return Exit.FAILED if made.refused or made.unread else Exit.COMPLETED
