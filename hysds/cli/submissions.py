"""What became of submissions, for people and machines: an id a line on stdout, all else on stderr."""

from __future__ import annotations

from collections.abc import Iterable

import click

from hysds.cli import tables
from hysds.cli.exits import Exit
from hysds.cli.words import clean, waits
from hysds.core.explanation.values import Why
from hysds.lib import units
from hysds.orchestrator.submit import Submission


def show(named: Iterable[tuple[str, Submission]], obstacles: Iterable[Why], as_json: bool) -> Exit:
    """Show each submission under its name, of a duplicate the id of the job that stands for it; then why nobody takes
    some of them. Answers how to exit.

    Raises: OSError, once all were told of on stderr, where stdout takes nothing.
    """
    code = Exit.COMPLETED
    unwritten: OSError | None = None
    for name, submission in named:
        if submission.refused is not None:
            first, *more = str(submission.refused).splitlines()
            # One by type says itself of which.
            about = "" if first.startswith(f"job type {name}:") else f"{clean(name)}: "
            click.echo(f"hysds: {about}{clean(first)}", err=True)
            for line in more:
                click.echo(clean(line), err=True)
            code = Exit.REFUSED
            continue
        try:
            _show(name, submission, as_json)
        except OSError as error:
            # Whoever took this for a failure would submit it once more.
            click.echo(
                f"{clean(name)}: accepted as job {submission.id}, which stdout can't be told", err=True
            )
            unwritten = error
    for why in obstacles:
        click.echo(waits(why), err=True)
    if unwritten is not None:
        raise unwritten
    return code


def _show(name: str, submission: Submission, as_json: bool) -> None:
    stands_for_it = submission.twin if submission.is_duplicate else None
    if stands_for_it is not None:
        click.echo(
            f"{clean(name)}: job {submission.id} is a duplicate of job {stands_for_it}, "
            f"which is {submission.twin_status}",
            err=True,
        )
    elif submission.twin is not None:
        click.echo(f"{clean(name)}: {forced(submission)}", err=True)
    if submission.members:
        jobs = units.counted(submission.members, "job")
        click.echo(f"{clean(name)}: {submission.id} is a group of {jobs}", err=True)
    values = {
        "id": submission.id,
        "status": submission.status,
        "members": submission.members,
        "dedup_job": stands_for_it,
        "forced_beside": None if stands_for_it else submission.twin,
    }
    told = tables.as_json({key: value for key, value in values.items() if value})
    click.echo(told if as_json else stands_for_it or submission.id)


def forced(submission: Submission) -> str:
    """What to say of a job that was submitted beside one which does the same."""
    return (
        f"job {submission.id} was submitted all the same: it would have matched job {submission.twin}, "
        f"which is {submission.twin_status}"
    )
