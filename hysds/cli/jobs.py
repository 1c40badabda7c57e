"""`hysds jobs`: search the store. Every option is a condition of `core.query.JobQuery`, whose rules hold."""

from __future__ import annotations

from typing import Any

import click

from hysds.cli import conditions, summary, tables
from hysds.cli.tables import Table
from hysds.cli.words import clean
from hysds.core.query import MAX_LIMIT, JobQuery
from hysds.core.searched import Sort, Term
from hysds.ports.store import Page
from hysds.sdk.client import Client

_TERMS = tuple(term.value for term in Term)


@click.command("jobs", short_help="Search jobs, running and ended.")
@conditions.conditions()
@click.option(
    "--sort",
    default=Sort.ACCEPTED.value,
    type=click.Choice([sort.value for sort in Sort]),
    show_default=True,
    help="In the order of this.",
)
@click.option("--ascending", is_flag=True, help="The smallest, or oldest, first.")
@click.option(
    "--limit", default=50, type=click.IntRange(0, MAX_LIMIT), show_default=True, help="Jobs of a page."
)
@click.option("--cursor", default="", help="Where the page before ended: the next page.")
@click.option(
    "--facet", multiple=True, type=click.Choice(_TERMS), help="Count what matches by this. May be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Documents, then counts, one JSON object a line.")
def command(as_json: bool, **options: Any) -> None:
    """Search the jobs of the store, the newest first. Conditions are joined by and, the values of one by or.

    The store follows the ledger by a moment; `hysds status ID` asks the ledger itself. On stderr stand where was
    searched, how many jobs match, and the cursor of the next page, if there is one.

    \b
        hysds jobs --status failed --since 2h
        hysds jobs --text 'no such file' --facet failure_class --limit 0
        hysds jobs --tag trial --json | jq -r .id
    """
    query = query_of(options)
    with Client() as client:
        page = client.jobs(query)
        where = client.reads_from()
    if as_json:
        _print_json(page, where)
    else:
        _print_tables(page, where, query)


def query_of(options: dict[str, Any]) -> JobQuery:
    """The query that these options ask.

    Raises: Refused where it has no answer.
    """
    return conditions.query_of(
        conditions.taken(options),
        sort=Sort(options["sort"]),
        descending=not options["ascending"],
        cursor=options["cursor"],
        limit=options["limit"],
        facets=tuple(Term(name) for name in options["facet"]),
    )


def _print_tables(page: Page, where: str, query: JobQuery) -> None:
    if page.documents:
        tables.show(summary.table(page.documents))
    for term, counts in page.counts.items():
        tables.show(Table((term.value, "jobs"), [(clean(value), str(count)) for value, count in counts]))
    click.echo(f"{len(page.documents)} of {page.total} jobs that match, in {clean(where)}", err=True)
    if page.cursor and query.limit:
        click.echo(f"the next page: --cursor {page.cursor}", err=True)


def _print_json(page: Page, where: str) -> None:
    for document in page.documents:
        click.echo(tables.as_json(document))
    for term, counts in page.counts.items():
        for value, count in counts:
            click.echo(tables.as_json({"facet": term.value, "value": value, "count": count}))
    click.echo(tables.as_json({"total": page.total, "cursor": page.cursor, "read_from": where}), err=True)
