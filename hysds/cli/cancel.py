"""`hysds cancel`: ask for the end of jobs."""

from __future__ import annotations

import click

from hysds.cli import id_arguments, tables
from hysds.cli.exits import Exit
from hysds.cli.tables import Table
from hysds.core.status import Status
from hysds.sdk.client import Client

_MEANING = {
    Status.REVOKED.value: "revoked",
    Status.STARTED.value: "its worker was told to stop it",
    "ended": "had ended before",
    "missing": "no such job",
    Status.COMPLETED.value: "completed before it could be stopped",
    Status.FAILED.value: "failed before it could be stopped",
}


@click.command("cancel", short_help="End jobs, waiting or running.")
@click.argument("job_id", metavar="ID...", nargs=-1, required=True)
@click.option("--wait", is_flag=True, help="Return when all of them have ended, and say how.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a job: its id and what became of it.")
def command(job_id: tuple[str, ...], wait: bool, as_json: bool) -> int:
    """End jobs (- reads ids from stdin). A job that waits is revoked at once; a running one is stopped by its worker,
    which takes as long as the job's own clean-up, and is revoked then. A job that had ended stays as it is.

    \b
        hysds cancel 01930f5e-7b1c-7000-8000-0123456789ab
        hysds cancel --wait "$id"
        hysds jobs --tag trial --status queued --limit 10000 --json | jq -r .id | hysds cancel -
    """
    wanted = id_arguments.given(job_id)
    with Client() as client:
        answers = client.cancel(wanted)
        if wait:
            answers |= _ends(client, answers)
    if as_json:
        click.echo(
            "\n".join(tables.as_json({"id": id_, "answer": answer}) for id_, answer in answers.items())
        )
    else:
        tables.show(
            Table(("id", "answer"), [(id_, _MEANING.get(answer, answer)) for id_, answer in answers.items()])
        )
    return Exit.REFUSED if "missing" in answers.values() else Exit.COMPLETED


def _ends(client: Client, answers: dict[str, str]) -> dict[str, str]:
    """How those ended that were running; waits for it."""
    running = [id_ for id_, answer in answers.items() if answer == Status.STARTED.value]
    client.await_ends(running)
    return {document["id"]: document["status"] for document in client.jobs_by_id(running)}
