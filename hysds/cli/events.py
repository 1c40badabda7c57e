"""`hysds events`: search what happened beside jobs, or show it as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from hysds.cli import tables, words
from hysds.cli.options import Moment
from hysds.cli.tables import Table
from hysds.core.chronicle_query import MAX_LIMIT, ChronicleQuery
from hysds.core.happenings import EVENT, WORKER
from hysds.sdk.client import Client

_COLUMNS = ("time", "type", "host", "what")
_IMPORTANCE = ("time", "type", "what", "host")
_TOLD = (
    "message", "reason", "exception", "rule", "job_id", "name", "watchdog", "subject", "uuid", "queue", "gate",
)  # fmt: skip
"""What of an event's own fields is shown in a line, in this order."""
_LONGEST = 120


@click.command("events", short_help="Search what happened beside jobs.")
@click.option(
    "--type", "types", multiple=True, help="Of this type; one that ends in * begins so. May be repeated."
)
@click.option("--host", default="", help="Of this worker (celery@w1) or host, exactly.")
@click.option("--since", type=Moment(), help="Since: 2h ago, or 2030-01-31T18:00:00Z.")
@click.option("--until", type=Moment(), help="Before.")
@click.option("--workers", "of_workers", is_flag=True, help="Workers instead: one a name, gone ones too.")
@click.option("--limit", default=50, type=click.IntRange(0, MAX_LIMIT), show_default=True, help="Of a page.")
@click.option("--cursor", default="", help="Where the page before ended: the next page.")
@click.option("-f", "--follow", is_flag=True, help="Show what will happen, as it comes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Documents, one JSON object a line.")
def command(of_workers: bool, follow: bool, as_json: bool, **options: Any) -> None:
    """Search events, the newest first: workers that came or went, Celery's own events, rules that fired, watchdogs that
    gave alarm. Conditions are joined by and, the values of one by or.

    Documents follow what happens by a moment, and need an indexer; --follow shows what is told at once.

    \b
        hysds events --since 1h
        hysds events --type worker-offline --type 'celery.worker-*'
        hysds events --workers --json | jq -r 'select(.status == "worker-offline") | .id'
    """
    query = ChronicleQuery(
        WORKER if of_workers else EVENT,
        types=tuple(options["types"]),
        hostname=options["host"],
        since_ms=options["since"],
        until_ms=options["until"],
        limit=options["limit"],
        cursor=options["cursor"],
    )
    if follow and (query.cursor or query.since_ms is not None or query.until_ms is not None):
        raise click.UsageError("--follow shows what comes from now on: give no --since, --until or --cursor")
    with Client() as client:
        if follow:
            for document in client.events_to_come(query):
                click.echo(tables.as_json(document) if as_json else "  ".join(row(document)))
            return
        page = client.events(query)
    for document in page.documents if as_json else ():
        click.echo(tables.as_json(document))
    if page.documents and not as_json:
        tables.show(Table(_COLUMNS, [row(document) for document in page.documents], _IMPORTANCE))
    _tell_rest(len(page.documents), page.total, page.cursor if query.limit else "", as_json)


def row(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Time, type, host and what of it fits in a line."""
    host = document.get("celery_hostname") or document.get("hostname")
    cells = (document.get("@timestamp"), document.get("type"), host)
    return (*(words.shown(cell) for cell in cells), words.cut(_what(document), _LONGEST))


def _what(document: Mapping[str, Any]) -> str:
    event = document.get("event")
    if not isinstance(event, dict):
        return ""
    return " ".join(words.shown(event[name]) for name in _TOLD if event.get(name) not in (None, ""))


def _tell_rest(shown: int, total: int, cursor: str, as_json: bool) -> None:
    """On stderr: how many match, and how to go on."""
    if as_json:
        click.echo(tables.as_json({"total": total, "cursor": cursor}), err=True)
        return
    click.echo(f"{shown} of {total} that match", err=True)
    if cursor:
        click.echo(f"the next page: --cursor {cursor}", err=True)
