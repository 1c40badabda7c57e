"""`hysds submit`: hand jobs to the system and print their ids, one a line, in the order of the specs."""

from __future__ import annotations

import click

from hysds.cli import specs, tables
from hysds.cli.exits import Exit
from hysds.cli.words import clean, unheard
from hysds.orchestrator.submit import Submission
from hysds.sdk.client import Client


@click.command("submit", short_help="Submit jobs and print their ids.")
@click.argument("spec", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a job instead of its id.")
def command(spec: tuple[str, ...], as_json: bool) -> int:
    """Submit the jobs that the files SPEC describe (- is stdin), and print an id for each.

    All specs are checked before any is submitted. Of a duplicate the id of the job that stands for it is printed, and
    stderr says so. A spec whose command or env names HYSDS_SUBMIT_DIR gets that variable, with the current directory.

    \b
        hysds submit job.json
        id=$(hysds submit job.json) && hysds logs -f "$id"
        generate | hysds submit -
    """
    with Client() as client:
        jobs = specs.load(spec, client)
        submissions = client.submit_many(jobs)
    code = Exit.COMPLETED
    for name, submission in zip(spec, submissions, strict=True):
        if submission.refused is not None:
            click.echo(f"hysds: {clean(name)}: {clean(str(submission.refused))}", err=True)
            code = Exit.REFUSED
        else:
            _show(name, submission, as_json)
    queues = [
        job.job_queue or job.bare_type
        for job, submission in zip(jobs, submissions, strict=True)
        if submission.hearers == 0
    ]
    for queue in dict.fromkeys(queues):
        click.echo(unheard(queue), err=True)
    return code


def _show(name: str, submission: Submission, as_json: bool) -> None:
    if submission.twin is not None:
        click.echo(
            f"{clean(name)}: job {submission.id} is a duplicate of job {submission.twin}, "
            f"which is {submission.twin_status}",
            err=True,
        )
    if as_json:
        values = {"id": submission.id, "status": submission.status, "dedup_job": submission.twin}
        click.echo(tables.as_json({key: value for key, value in values.items() if value}))
    else:
        click.echo(submission.twin or submission.id)
