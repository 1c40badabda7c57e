"""`hysds workers`: who takes jobs, what each has free, and why one takes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from hysds.cli import offers, tables, words, worker_rows
from hysds.cli.tables import Table
from hysds.cli.worker_rows import Row
from hysds.core.floor_requests import Drain
from hysds.sdk.client import Client
from hysds.sdk.floor import named

_JOB_COLUMNS = ("id", "type", "phase", "since")


@click.command("workers", short_help="Show who takes jobs, and why one takes none.")
@click.argument("name", required=False, shell_complete=offers.workers)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a worker.")
def command(name: str | None, as_json: bool) -> None:
    """Show all workers that announced themselves: state, gate and why it is shut, slots, jobs, queues, and when each
    was last heard of. With NAME (w1, or celery@w1), show all that this worker announced, and the jobs that it holds.

    A silent worker is shown until its leases have run out. Give each worker a name of its own (--name): two of one name
    work, and are drained together.

    \b
        hysds workers
        hysds workers w1
        hysds workers --json | jq -r 'select(.state == "idle") | .name'
    """
    with Client() as client:
        found, orders = worker_rows.rows(client.workers()), client.drains()
        if name is None:
            _show_all(found, orders, as_json)
            return
        full = named(name, {row.state.name for row in found} | {order.name for order in orders})
        mine = [row for row in found if row.state.name == full]
        jobs = {row.state.incarnation: _jobs(client, row) for row in mine}
    if as_json:
        for row in mine:
            click.echo(tables.as_json(worker_rows.as_document(row) | {"jobs": jobs[row.state.incarnation]}))
    else:
        _show_whole(mine, jobs, [order for order in orders if order.name == full])


def _show_all(found: Sequence[Row], orders: Sequence[Drain], as_json: bool) -> None:
    if as_json:
        for row in found:
            click.echo(tables.as_json(worker_rows.as_document(row)))
    elif found:
        tables.show(worker_rows.table(found))
    else:
        click.echo("no worker has announced itself; start one: hysds worker job", err=True)
    there = {row.state.name for row in found}
    for order in orders:
        if order.name not in there:
            click.echo(f"note: {_absent(order)}", err=True)
    doubled = {row.state.name: row.namesakes for row in found if row.namesakes > 1}
    for name, count in doubled.items():
        click.echo(f"note: {count} live workers are called {words.clean(name)}", err=True)


def _show_whole(
    mine: Sequence[Row], jobs: Mapping[str, Sequence[Mapping[str, Any]]], orders: Sequence[Drain]
) -> None:
    for at, row in enumerate(mine):
        if at:
            click.echo()
        pairs = worker_rows.details(row)
        width = max(len(name) for name, _ in pairs)
        click.echo("\n".join(f"{name.ljust(width)}  {value}" for name, value in pairs))
        held = jobs[row.state.incarnation]
        if held:
            click.echo()
            tables.show(
                Table(_JOB_COLUMNS, [[words.shown(one.get(name)) for name in _JOB_COLUMNS] for one in held])
            )
    if not mine:
        for order in orders:
            click.echo(_absent(order))


def _absent(order: Drain) -> str:
    name = words.clean(order.name)
    return f"{name} is not there, and drained when it comes: {words.clean(worker_rows.drained(order))}"


def _jobs(client: Client, row: Row) -> list[dict[str, Any]]:
    """What it holds: id, type, phase and since when."""
    documents = client.jobs_by_id([id_ for id_, _ in row.state.held])
    fences = dict(row.state.held)
    return [
        {
            "id": document["id"],
            "fence": fences[document["id"]],
            "type": document.get("type"),
            "phase": document.get("phase"),
            "since": document["job"]["job_info"].get("time_start"),
        }
        for document in documents
    ]
