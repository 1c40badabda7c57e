"""`hysds types add`: register the job and interface files of a directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from hysds.cli import tables
from hysds.cli.tables import Table
from hysds.cli.words import clean
from hysds.core.job_types.additions import Adding, added
from hysds.core.job_types.catalog import JobType, catalog
from hysds.orchestrator import job_repository
from hysds.orchestrator.job_repository import Told
from hysds.sdk.client import Client


@click.command("add", short_help="Register the job and interface files of a directory.")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--version", required=True, help="The VERSION in job-NAME:VERSION.")
@click.option("--image", default="", help="The container image that their commands run in. Default: none.")
@click.option("--replace", "may_replace", is_flag=True, help="Also where the version has other content.")
@click.option("--dry-run", is_flag=True, help="Register nothing; say what would be.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a type instead of the table.")
def command(
    directory: Path, version: str, image: str, may_replace: bool, dry_run: bool, as_json: bool
) -> None:
    """Register every job-spec.json.NAME of DIR, and of DIR/docker, with its hysds-io.json.NAME: job type
    job-NAME:VERSION with interface hysds-io-NAME:VERSION. All of them or, where a file is wrong, none.

    Stderr says per file what this release can't honour; such a type is registered, and refuses submissions with that
    reason. docs/job-types.md tells what each key means.

    \b
        hysds types add repository --version v1
        hysds types add repository --version v2 --image crop:v2 --dry-run
    """
    found = job_repository.read(directory, version, image)
    with Client() as client:
        if dry_run:
            outcomes = added(catalog(client.types().values()), found.types, may_replace).outcomes
        else:
            outcomes = client.add_types(found.types, may_replace)
    for one in found.told:
        click.echo(_line(one), err=True)
    if as_json:
        for job_type in found.types:
            click.echo(tables.as_json(_values(job_type, outcomes)))
    else:
        tables.show(_table(found.types, outcomes))
    if dry_run:
        click.echo("nothing was registered: --dry-run", err=True)


def _line(told: Told) -> str:
    kind = "refuses submissions" if told.is_refused else "note"
    return clean(f"{kind}: {told.file}: {told.what}")


def _values(job_type: JobType, outcomes: Mapping[str, Adding]) -> dict[str, object]:
    """In the words of `hysds types --json`."""
    return {
        "name": job_type.name,
        "outcome": outcomes[job_type.name].value,
        "can_be_submitted": not job_type.refusals,
        "refusals": list(job_type.refusals),
    }


def _table(types: Sequence[JobType], outcomes: Mapping[str, Adding]) -> Table:
    rows = [
        (clean(one.name), outcomes[one.name].value, "no" if one.refusals else "yes", clean(_queue(one)))
        for one in types
    ]
    return Table(("type", "outcome", "can be submitted", "queue"), rows)


def _queue(job_type: JobType) -> str:
    return job_type.queues[0] if job_type.queues else job_type.name
