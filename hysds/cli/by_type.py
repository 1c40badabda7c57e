"""`hysds submit --type`: jobs of a registered type, filled from what is given and from the jobs that a query finds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from hysds.cli import given_params, offers, over, submissions, submit_dir, words
from hysds.cli.exits import Exit
from hysds.core import spec
from hysds.core.job_types.filling import Request
from hysds.core.spec import MAX_PRIORITY, JobSpec
from hysds.lib import units
from hysds.sdk.by_type import Plan
from hysds.sdk.client import Client

F = TypeVar("F", bound=Callable[..., Any])

ASK_ABOVE = 100
"""Jobs; more of them are submitted over a query only after a yes."""

_OPTIONS = (
    click.option("--type", "job_type", metavar="TYPE", help="Of this registered type, as job-NAME:VERSION."),
    click.option(
        "--param",
        multiple=True,
        metavar="NAME=TEXT",
        help="A parameter of the type, as a text; NAME:=JSON for a number, a list, true. May be repeated.",
    ),
    click.option("--params-file", metavar="FILE", shell_complete=offers.files, help="A JSON object of them."),
    click.option("--over", metavar="QUERY", help="Over the jobs that these options of `hysds jobs` find."),
    click.option("--queue", shell_complete=offers.queues, help="Into this queue. Default: the type's."),
    click.option("--priority", type=click.IntRange(0, MAX_PRIORITY), help="10 is the most urgent."),
    click.option("--tag", help="With this tag."),
    click.option("--user", help="As this user."),
    click.option("--name", help="Under this name."),
    click.option("--soft-time-limit", metavar="TIME", help="Ask a job to end after this, such as 90s or 2h."),
    click.option("--time-limit", metavar="TIME", help="End a job after this."),
    click.option("--dry-run", is_flag=True, help="Submit nothing; print the specs, one a line."),
    click.option("--yes", is_flag=True, help=f"Don't ask before more than {ASK_ABOVE} jobs are submitted."),
)


def options(function: F) -> F:
    """The command with the options of a submission by type."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def without_type(given: Mapping[str, Any]) -> list[str]:
    """The options that only a submission by type has, and that were given: all but --dry-run."""
    return [
        f"--{name.replace('_', '-')}"
        for name, value in given.items()
        if name != "dry_run" and value is not None and value is not False and value != ()
    ]


@dataclass(frozen=True, slots=True)
class _Manner:
    """How to submit, and how to tell of it."""

    is_dry: bool
    may_be_many: bool
    as_json: bool


def submit(given: Mapping[str, Any], force: bool, as_json: bool) -> Exit:
    """Carry out a submission by type."""
    request = Request(
        params=given_params.given(given["param"], given["params_file"]),
        queue=given["queue"],
        priority=given["priority"],
        tag=given["tag"],
        username=given["user"],
        name=given["name"],
        soft_time_limit=given["soft_time_limit"],
        time_limit=given["time_limit"],
        repeat=force,
    )
    found = None if given["over"] is None else over.read(given["over"])
    with Client() as client:
        plan = _here(client.plan(given["job_type"], request, found))
        return _carry_out(client, plan, _Manner(given["dry_run"], given["yes"], as_json))


def _here(plan: Plan) -> Plan:
    """The plan, with this directory for the specs that ask for it."""
    return replace(plan, specs=tuple(submit_dir.given(one, os.getcwd()) for one in plan.specs))


def _carry_out(client: Client, plan: Plan, manner: _Manner) -> Exit:
    if not plan.specs:
        click.echo("no job matches the query: there is nothing to submit", err=True)
        return Exit.COMPLETED
    for note in dict.fromkeys(words.unread(one) for one in plan.specs):
        if note:
            click.echo(note, err=True)
    if manner.is_dry:
        for one in plan.specs:
            client.check(one)
        return foretell(plan.specs)
    if not manner.may_be_many:
        _ask(len(plan.specs))
    taken = client.submit_plan(plan)
    told = [] if taken is None else [taken.submission]
    return submissions.show(((plan.job_type, one) for one in told), client.obstacles(told), manner.as_json)


def foretell(specs: Sequence[JobSpec]) -> Exit:
    """Print what would be submitted, as `hysds submit -` reads it."""
    for one in specs:
        click.echo(spec.stored(one))
    click.echo(f"{units.counted(len(specs), 'spec')} would be submitted", err=True)
    return Exit.COMPLETED


def _ask(jobs: int) -> None:
    """Raises: UsageError where nobody can be asked; Abort where the answer is no."""
    if jobs <= ASK_ABOVE:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{jobs} jobs would be submitted: say --yes, or see them with --dry-run")
    click.confirm(f"Submit {jobs} jobs?", abort=True, err=True)
