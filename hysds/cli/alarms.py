"""`hysds alarms`: what the watchdogs found wrong; and whether those who are to be told can be."""

from __future__ import annotations

from typing import Any

import click

from hysds.bootstrap import System
from hysds.cli import offers, tables
from hysds.cli.exits import Exit
from hysds.cli.options import Moment
from hysds.cli.tables import Table
from hysds.cli.words import clean
from hysds.core import alarms, moments
from hysds.core.alarms import Alarm
from hysds.core.query import JobQuery, Span
from hysds.core.searched import Sort
from hysds.core.status import Status
from hysds.core.type_names import spellings
from hysds.lib.units import counted
from hysds.sdk.client import Client

_COLUMNS = ("since", "watchdog", "about", "what")


@click.group("alarms", short_help="Show what the watchdogs found wrong.", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object an alarm.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show the alarms that stand, the oldest first: what reconcilers found wrong when they looked last, and since when
    it is so. The settings watchdogs.* say what counts as wrong, and who is told by mail or webhook.

    \b
        hysds alarms
        hysds alarms --json | jq -r 'select(.kind == "worker-failing") | .worker'
        hysds alarms expect job:nightly --within 25h || echo 'no backup'
    """
    if context.invoked_subcommand is not None:
        return
    with Client() as client:
        found = client.alarms()
    if as_json:
        for alarm in found:
            click.echo(tables.as_json(alarms.document(alarm)))
    elif found:
        tables.show(Table(_COLUMNS, [_row(alarm) for alarm in found]))
        for hint in dict.fromkeys(alarm.hint for alarm in found if alarm.hint):
            click.echo(f"note: {clean(hint)}", err=True)
    else:
        click.echo("no alarm stands", err=True)


@command.command("test", short_help="Send a message to all who are told of alarms.")
def test() -> None:
    """Send a message to all whom the settings name (watchdogs.mail_to, watchdogs.webhooks_file), from this host, and
    say who took it. Exit code 4 where somebody did not, 2 where nobody is to be told.

    \b
        hysds alarms test
    """
    system = System.read()
    try:
        tried = system.watchdogs().try_out()
    finally:
        system.close()
    for where, error in tried:
        click.echo(f"{clean(where)}: {'taken' if error is None else clean(str(error))}")
    if not tried:
        click.echo("nobody is to be told: set watchdogs.mail_to or watchdogs.webhooks_file", err=True)
        raise click.exceptions.Exit(Exit.REFUSED)
    if any(error is not None for _, error in tried):
        raise click.exceptions.Exit(Exit.UNREACHABLE)


@command.command("expect", short_help="Say whether a job of a type completed of late.")
@click.argument("job_type", metavar="TYPE", shell_complete=offers.types)
@click.option(
    "--within",
    metavar="PERIOD",
    type=Moment(),
    required=True,
    help="How long ago at most: 25h; or since a time: 2030-01-31T18:00:00Z.",
)
def expect(job_type: str, within: int) -> None:
    """Say whether a job of TYPE completed within a period, and when the last one did. Exit code 1 where none did. To be
    told of it without asking, set watchdogs.expect.

    \b
        hysds alarms expect job:nightly --within 25h || echo 'no backup'
    """
    with Client() as client:
        found, count = _last_completed(client, job_type, Span(from_ms=within))
        if found is None:
            found, _ = _last_completed(client, job_type, Span())
    when = "none ever did" if found is None else f"the last did at {_ended(found)} ({found['id']})"
    jobs = f"{counted(count, 'job')} of type {clean(job_type)} completed since {moments.iso(within)[:19]}Z"
    click.echo(f"{jobs}; {clean(when)}")
    if not count:
        raise click.exceptions.Exit(Exit.FAILED)


def _last_completed(client: Client, job_type: str, ended: Span) -> tuple[dict[str, Any] | None, int]:
    """The document of the last, if any, and how many there are."""
    query = JobQuery(
        type=frozenset(spellings(job_type)),
        status=frozenset({Status.COMPLETED.value}),
        ended=ended,
        sort=Sort.ENDED,
        limit=1,
    )
    page = client.jobs(query)
    return (page.documents[0] if page.documents else None), page.total


def _ended(document: dict[str, Any]) -> str:
    return str(document["job"]["job_info"].get("time_end", ""))


def _row(alarm: Alarm) -> tuple[str, ...]:
    since = f"{moments.iso(alarm.since_ms)[:19]}Z"
    return since, alarm.kind, clean(alarm.subject), clean(alarm.what)
