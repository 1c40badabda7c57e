"""`hysds index`: the store's indices, whether it says what the ledger says, and how it is made again."""

from __future__ import annotations

from contextlib import closing

import click

from hysds.bootstrap import System
from hysds.cli import index_archive, index_copy, index_init, index_rebuild, index_verify, tables
from hysds.cli.tables import Table
from hysds.cli.words import clean
from hysds.core import moments
from hysds.core.generations import Generations
from hysds.core.query import JobQuery
from hysds.lib import units
from hysds.ports.indices import ROLLED, Index

_COLUMNS = ("index", "generation", "documents", "live", "size", "made", "state")


@click.group(
    "index", short_help="Show, check and make again what the store holds.", invoke_without_command=True
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object an index.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show where documents are searched: the indices of Elasticsearch with what each holds, and the archive. New jobs
    are born in the current generation; a reconciler begins the next one in time, and drops old ones (settings
    store.rollover_size, store.rollover_age, store.retention).

    \b
        hysds index
        hysds index verify --wait 1m
        hysds index rebuild
        hysds index copy --to "sqlite://$PWD/copy.db"
    """
    if context.invoked_subcommand is not None:
        return
    with closing(System.read()) as system:
        known = system.ledger.generations()
        found = system.indices.all() if system.indices is not None else ()
        if as_json:
            for one in found:
                click.echo(tables.as_json(_fields(one, known)))
            return
        archive = system.archive.describe() if system.archive is not None else "none"
        click.echo(f"store    {clean(system.store.describe())}")
        click.echo(f"archive  {clean(archive)}")
        if system.indices is None:
            total = system.store.search(JobQuery(limit=0)).total
            click.echo(f"holds    {units.counted(total, 'job')} and tasks, in one file without indices")
        elif found:
            tables.show(Table(_COLUMNS, [_row(one, known) for one in found]))
        else:
            click.echo("no index was made yet; an indexer makes them, or: hysds index init", err=True)


def _state(one: Index, known: Generations) -> str:
    if one.resource not in ROLLED:
        return "for ever"
    if known.is_dropped(one.generation):
        return "being dropped"
    return (
        "current"
        if one.generation == known.current
        else "closed"
        if one.generation < known.current
        else "next"
    )


def _row(one: Index, known: Generations) -> tuple[str, ...]:
    numbers = (str(one.generation), f"{one.documents:,}", f"{one.live:,}", units.format_size(one.size_bytes))
    return (one.resource.value, *numbers, moments.iso(one.born_ms), _state(one, known))


def _fields(one: Index, known: Generations) -> dict[str, object]:
    return {
        "resource": one.resource.value,
        "generation": one.generation,
        "documents": one.documents,
        "live": one.live,
        "size_bytes": one.size_bytes,
        "born": moments.iso(one.born_ms),
        "state": _state(one, known),
    }


command.add_command(index_init.command)
command.add_command(index_verify.command)
command.add_command(index_rebuild.command)
command.add_command(index_copy.command)
command.add_command(index_archive.command)
