"""`hysds index copy`: what one store holds into another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from hysds.bootstrap import System
from hysds.cli import index_steps
from hysds.cli.exits import Exit
from hysds.indexer import copying
from hysds.indexer.copying import End
from hysds.indexer.rebuilding import Made
from hysds.settings import load, search_url, urls
from hysds.settings.model import Settings
from hysds.settings.servers import Store
from hysds.wiring.real import RealAdapters


@click.command("copy", short_help="Copy what one store holds into another.")
@click.option("--from", "source", metavar="URL", help="The store to read; left out: the one of the settings.")
@click.option("--to", "target", metavar="URL", help="The store to write; left out: the one of the settings.")
def command(source: str | None, target: str | None) -> int:
    """Copy documents of jobs, tasks, events and workers from one store into another, such as from SQLite into
    Elasticsearch, and back. URLs are written as in store.url; user, key, authority and prefix of Elasticsearch are
    those of the settings.

    Nothing is replaced by anything older: it may be repeated, and be done while the system works. So: copy, set
    store.url to the new store, start the system anew, copy once more for what happened meanwhile.

    Exits with 0, with 1 where documents were refused, or with 2 where there is no store to read.

    \b
        hysds index copy --to "sqlite://$PWD/copy.db"
    """
    if source is None and target is None:
        raise click.UsageError("copying needs another store than that of the settings: give --from or --to")
    settings, made, steps = load.load().settings, Made(), index_steps.Steps()
    with _end(settings, source, "--from") as first, _end(settings, target, "--to") as second:
        _check_source(first.settings)
        if first.store.describe() == second.store.describe():
            raise click.UsageError("both are the same store")
        known = second.ledger.generations()
        if second.indices is not None:
            second.indices.init(known.oldest, known.current)
        ends = (End(first.store, first.chronicle), End(second.store, second.chronicle, second.indices))
        others = copying.copy(*ends, second.ledger, made, steps)
        second.store.refresh()
    click.echo(f"{made.read:>12,}  documents of jobs and tasks read")
    index_steps.tell(made)
    click.echo(f"{others:>12,}  of workers and events written")
    return Exit.FAILED if made.refused else Exit.COMPLETED


def _check_source(settings: Settings) -> None:
    """Raises: UsageError for a file that is not there: to open it would make it, and find nothing in it."""
    if not settings.is_searched_by_elasticsearch and not settings.store_path.exists():
        raise click.UsageError(f"there is no store to copy from: {settings.store_path} does not exist")


@contextmanager
def _end(settings: Settings, url: str | None, option: str) -> Iterator[System]:
    system = System(
        settings if url is None else replace(settings, store=_store(settings.store, url, option)),
        RealAdapters({}),
    )
    try:
        yield system
    finally:
        system.close()


def _store(store: Store, url: str, option: str) -> Store:
    """The section for another store: a file has no user and no prefix."""
    normal = urls.normalised(url)
    if complaint := urls.problem(normal, urls.STORE_SCHEMES):
        raise click.BadParameter(complaint, param_hint=f"'{option}'")
    return replace(store, url=normal) if search_url.is_search(normal) else Store(url=normal)
