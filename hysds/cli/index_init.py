"""`hysds index init`: make what the store's cluster lacks."""

from __future__ import annotations

from contextlib import closing

import click

from hysds.bootstrap import System
from hysds.cli.words import clean


@click.command("init", short_help="Make what the store's cluster lacks.")
def command() -> None:
    """Make the templates, indices and aliases that Elasticsearch lacks, and print their names. What is there stays as
    it is. An indexer does the same when it first writes: nobody has to. Which generations there are stands in the
    ledger, which must be there too.

    \b
        hysds index init
    """
    with closing(System.read()) as system:
        if system.indices is None:
            click.echo(
                f"nothing to make: {clean(system.store.describe())} is one file, made when it is first used"
            )
            return
        known = system.ledger.generations()
        made = system.indices.init(known.oldest, known.current)
    for name in made:
        click.echo(clean(name))
    if not made:
        click.echo("nothing to make: all was there", err=True)
