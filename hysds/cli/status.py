"""`hysds status`: where jobs stand, from the ledger while it remembers them, else from the store."""

from __future__ import annotations

import click

from hysds.cli import summary, tables
from hysds.sdk.client import Client


@click.command("status", short_help="Show where jobs stand; without an id, what of the system runs.")
@click.argument("job_id", metavar="ID...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="The documents, one JSON object a line.")
def command(job_id: tuple[str, ...], as_json: bool) -> None:
    """Show where jobs stand: one in detail, several as a table.

    \b
        hysds status 01930f5e-7b1c-7000-8000-0123456789ab
        hysds status --json "$id" | jq -r .status
    """
    with Client() as client:
        documents = client.jobs_by_id(job_id)
    if as_json:
        for document in documents:
            click.echo(tables.as_json(document))
    elif len(documents) == 1:
        pairs = summary.details(documents[0])
        width = max(len(name) for name, _ in pairs)
        click.echo("\n".join(f"{name.ljust(width)}  {value}" for name, value in pairs))
    else:
        tables.show(summary.table(documents))
