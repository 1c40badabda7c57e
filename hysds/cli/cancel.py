"""`hysds cancel`: ask for the end of jobs."""

from __future__ import annotations

from typing import Any

import click

from hysds.cli import acting, tables
from hysds.cli.acting import Asked
from hysds.cli.exits import Exit
from hysds.core.control import Verb, meaning
from hysds.core.status import Status
from hysds.sdk.client import Client

_COMING = (Status.STARTED.value, Status.WAITING.value)
"""Answers of what has not ended yet: a job that runs, a group with such members."""
_ENDS = {
    Status.COMPLETED.value: "completed before it could be stopped",
    Status.FAILED.value: "failed before it could be stopped",
}


@click.command("cancel", short_help="End jobs, waiting or running.")
@acting.acts()
@click.option("--wait", is_flag=True, help="Return when all named jobs have ended, and say how.")
def command(job_id: tuple[str, ...], wait: bool, **options: Any) -> int:
    """End jobs (- reads ids from stdin), or all that match the conditions: of those alone that have not ended, where no
    --status is given.

    A job that waits is revoked at once; a running one is stopped by its worker, which takes as long as the job's own
    clean-up, and is revoked then. A job that had ended stays as it is.

    \b
        hysds cancel 01930f5e-7b1c-7000-8000-0123456789ab
        hysds cancel --wait "$id"
        hysds cancel --tag trial --dry-run
        hysds cancel --tag trial --yes
    """
    what = acting.asked(job_id, options)
    if wait and not what.ids:
        raise click.UsageError("--wait is for named jobs")
    with Client() as client:
        if not what.ids or what.manner.dry_run:
            return acting.carried_out(client, Verb.CANCEL, what)
        return _cancelled(client, what, wait)


def _cancelled(client: Client, what: Asked, wait: bool) -> int:
    answers = client.cancel(what.ids)
    if wait:
        answers |= _ends(client, answers)
    if what.manner.as_json:
        click.echo(
            "\n".join(tables.as_json({"id": id_, "answer": answer}) for id_, answer in answers.items())
        )
    else:
        for id_, answer in answers.items():
            click.echo(f"{id_}  {_ENDS.get(answer) or meaning(Verb.CANCEL, answer).text}")
    return Exit.REFUSED if "missing" in answers.values() else Exit.COMPLETED


def _ends(client: Client, answers: dict[str, str]) -> dict[str, str]:
    """How those ended that were running; waits for it."""
    running = [id_ for id_, answer in answers.items() if answer in _COMING]
    client.await_ends(running)
    return {document["id"]: document["status"] for document in client.jobs_by_id(running)}
