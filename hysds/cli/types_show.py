"""`hysds types [NAME]`: the kinds of job that are registered, and all that is known of one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import click

from hysds.cli import offers, tables, type_rows
from hysds.core.errors import NotFound
from hysds.core.job_types.catalog import Catalog, JobType
from hysds.core.policies import Policies
from hysds.sdk.client import Client


@click.command("show", short_help="List the registered types, or show one.")
@click.argument("name", required=False, shell_complete=offers.types)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a type.")
def command(name: str | None, as_json: bool) -> None:
    """List the job types that are in force. With NAME show all that is known of one: what it runs, its parameters,
    creators, queues, limits and policies, why it can't be submitted, and an example.

    \b
        hysds types
        hysds types show job:word-count
        hysds types --json | jq -r 'select(.can_be_submitted) | .name'
    """
    with Client() as client:
        known, rules = client.types(), client.policies()
    if name is not None:
        known = {name: _named(name, known)}
    if as_json:
        for one in known.values():
            click.echo(tables.as_json(type_rows.as_document(one, rules)))
    elif name is not None:
        _show(known[name], rules)
    elif known:
        tables.show(type_rows.table(known.values()))
    else:
        click.echo(
            "no job type is registered; name files of them in catalog.paths and run `hysds config reload`, or add "
            "those of a job repository with `hysds types add`",
            err=True,
        )


def _named(name: str, known: Mapping[str, JobType]) -> JobType:
    found = Catalog(known, "").find(name)
    if found is None:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        raise NotFound(f"job type {name}: not registered{f'; did you mean {near[0]}?' if near else ''}")
    return found


def _show(job_type: JobType, rules: Policies) -> None:
    pairs = type_rows.details(job_type, rules)
    width = max(len(name) for name, _ in pairs)
    click.echo("\n".join(f"{name.ljust(width)}  {value}" for name, value in pairs))
    click.echo(f"\nfor example\n{type_rows.example(job_type)}")
