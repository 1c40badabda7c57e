"""`hysds status`: where jobs stand, from the ledger while it remembers them, else from the store; without an id, what
of the system runs.
"""

from __future__ import annotations

import os

import click

from hysds.cli import parts, summary, system_summary, tables
from hysds.cli.exits import Exit
from hysds.lib.process import vitals
from hysds.sdk.client import Client
from hysds.settings import load

_WITHIN_S = 3.0
_LEAST_S = 1.0
"""Parts are given so long, however long the start of this command took."""
_TO_TELL_S = 0.3


@click.command("status", short_help="Show where jobs stand; without an id, what of the system runs.")
@click.argument("job_id", metavar="[ID]...", nargs=-1)
@click.option(
    "--json", "as_json", is_flag=True, help="The documents, one JSON object a line; or the system as one."
)
def command(job_id: tuple[str, ...], as_json: bool) -> int:
    """Show where jobs stand: one in detail, several as a table.

    Without an ID: what of the system runs. Of one that `hysds up` started that is each of its processes; then the
    ledger, the broker, the store and how far it is behind, workers and queues. It takes no longer than 3 s, whatever
    hangs; the exit code is 0 when all is well, and 4 when a part can't be reached, or a process of it lives and does
    not work: one that is stopped, or not heard of any more.

    \b
        hysds status 01930f5e-7b1c-7000-8000-0123456789ab
        hysds status --json "$id" | jq -r .status
        hysds status
    """
    if not job_id:
        return _system(as_json)
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
    return Exit.COMPLETED


def _system(as_json: bool) -> int:
    left_s = _WITHIN_S - _TO_TELL_S - vitals.age_s(os.getpid())
    found = parts.ask(load.load().settings, max(left_s, _LEAST_S))
    is_well = parts.is_well(found)
    if as_json:
        click.echo(tables.as_json({"well": is_well, **found}))
    else:
        click.echo("\n".join(system_summary.lines(found)))
    return Exit.COMPLETED if is_well else Exit.UNREACHABLE
