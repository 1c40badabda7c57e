"""`hysds cancel`: ask for the end of jobs."""

from __future__ import annotations

import click

from hysds.cli import tables
from hysds.cli.exits import Exit
from hysds.cli.tables import Table
from hysds.sdk.client import Client

_MEANING = {
    "job-revoked": "revoked",
    "job-started": "its worker was told to stop it",
    "ended": "had ended before",
    "missing": "no such job",
}


@click.command("cancel", short_help="End jobs, waiting or running.")
@click.argument("job_id", metavar="ID...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a job: its id and what became of it.")
def command(job_id: tuple[str, ...], as_json: bool) -> int:
    """End jobs. A job that waits is revoked at once; a running one is stopped by its worker, which takes as long as
    the job's own clean-up, and is revoked then. A job that had ended stays as it is.

    \b
        hysds cancel 01930f5e-7b1c-7000-8000-0123456789ab
        hysds jobs --tag trial --status queued --json | jq -r .id | xargs hysds cancel
    """
    with Client() as client:
        answers = client.cancel(list(dict.fromkeys(job_id)))
    if as_json:
        for id_, answer in answers.items():
            click.echo(tables.as_json({"id": id_, "answer": answer}))
    else:
        tables.show(
            Table(("id", "answer"), [(id_, _MEANING.get(answer, answer)) for id_, answer in answers.items()])
        )
    return Exit.REFUSED if "missing" in answers.values() else Exit.COMPLETED
