"""What became of submissions, for people and machines: an id a line on stdout, all else on stderr."""

from __future__ import annotations

from collections.abc import Iterable

import click

from hysds.cli import tables
from hysds.cli.exits import Exit
from hysds.cli.words import clean, unheard
from hysds.orchestrator.submit import Submission


def show(named: Iterable[tuple[str, Submission]], as_json: bool) -> Exit:
    """Show each submission under its name: of a duplicate the id of the job that stands for it; answers how to exit."""
    code, queues = Exit.COMPLETED, []
    for name, submission in named:
        if submission.refused is not None:
            click.echo(f"hysds: {clean(name)}: {clean(str(submission.refused))}", err=True)
            code = Exit.REFUSED
            continue
        _show(name, submission, as_json)
        if submission.hearers == 0:
            queues.append(submission.queue)
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
