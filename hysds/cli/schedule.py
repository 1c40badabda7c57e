"""`hysds schedule`: jobs that are submitted again and again, at the times of a cron expression."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from hysds.cli import offers, specs, tables
from hysds.cli.tables import Table
from hysds.cli.words import clean, cut
from hysds.core import cron, moments
from hysds.core.schedule import CatchUp, Schedule
from hysds.sdk.client import Client

_COLUMNS = ("name", "cron", "zone", "next", "last", "last job", "note")
_IMPORTANCE = ("name", "next", "cron", "note", "zone", "last", "last job")
_SHOWN = 5


@click.group("schedule", short_help="Submit a job again and again, at the times of a cron expression.")
def command() -> None:
    """Submit a job again and again, at the times of a cron expression. A reconciler does it: each time gives one job,
    with however many of them, and whatever dies.

    \b
        hysds schedule add nightly --cron '30 2 * * *' --tz Europe/Berlin job.json
        hysds schedule list
        hysds schedule run nightly
    """


@command.command("add", short_help="Add a schedule.")
@click.argument("name")
@click.argument("spec", shell_complete=offers.files)
@click.option(
    "--cron",
    "expression",
    required=True,
    metavar="'M H D M W'",
    help="When: minute, hour, day, month, weekday.",
)
@click.option(
    "--tz", default="UTC", show_default=True, metavar="ZONE", help="Whose clocks, such as Europe/Berlin."
)
@click.option(
    "--catch-up",
    type=click.Choice([each.value for each in CatchUp]),
    default=CatchUp.LATEST.value,
    show_default=True,
    help="What becomes of times that nobody could keep: the latest is made good, none is, or all are.",
)
@click.option("--replace", is_flag=True, help="Also in place of a schedule with this name.")
def add(name: str, spec: str, expression: str, tz: str, catch_up: str, replace: bool) -> None:
    """Add the schedule NAME for the job that the file SPEC describes (- is stdin). Words such as @hourly, @daily,
    @weekly, @monthly and @yearly may stand for the five fields.

    The job finds its schedule's name in HYSDS_SCHEDULE, and in HYSDS_SCHEDULE_TIME the time that it is for. Where
    clocks go forward, a time of day that is skipped comes right after the gap; where they go back, one that is repeated
    comes once. A time counts as missed after a minute.

    \b
        hysds schedule add nightly --cron '30 2 * * *' --tz Europe/Berlin job.json
        hysds schedule add hourly --cron @hourly --catch-up skip job.json
    """
    with Client() as client:
        job = specs.load(spec, client)
        added = client.schedule(name, expression, job, tz=tz, catch_up=CatchUp(catch_up), replace=replace)
    click.echo(f"schedule {clean(added.name)}: next at {moments.iso(added.next_ms)}{_paused(added)}")


@command.command("list", short_help="Show all schedules.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a schedule.")
def list_(as_json: bool) -> None:
    """Show all schedules: when each comes next, and what became of its last time.

    \b
        hysds schedule list --json | jq -r .next
    """
    with Client() as client:
        found, unreadable = client.schedules.all(), client.schedules.unreadable()
    if as_json:
        for one in found:
            click.echo(tables.as_json(_values(one)))
    elif found:
        tables.show(Table(_COLUMNS, [_row(one) for one in found], _IMPORTANCE))
    elif not unreadable:
        click.echo("there are no schedules; see `hysds schedule add --help`", err=True)
    for name in unreadable:
        click.echo(f"note: schedule {clean(name)} can't be read here, and is not fired", err=True)


@command.command("show", short_help="Show one schedule, its spec and its next times.")
@click.argument("name")
def show(name: str) -> None:
    """Show the schedule NAME as a JSON object, with its spec and its next times.

    \b
        hysds schedule show nightly | jq .next_times
    """
    with Client() as client:
        found = client.schedules.get(name)
    click.echo(json.dumps({**_values(found), "next_times": _next_times(found)}, indent=2))


@command.command("pause", short_help="Submit no more of its jobs.")
@click.argument("name")
def pause(name: str) -> None:
    """Submit no more jobs of the schedule NAME until `hysds schedule resume`.

    \b
        hysds schedule pause nightly
    """
    with Client() as client:
        client.schedules.pause(name)
    click.echo(f"schedule {clean(name)} is paused")


@command.command("resume", short_help="Submit its jobs again.")
@click.argument("name")
def resume(name: str) -> None:
    """Submit jobs of the schedule NAME again; the times of the pause are not made good.

    \b
        hysds schedule resume nightly
    """
    with Client() as client:
        found = client.schedules.resume(name)
    click.echo(f"schedule {clean(name)}: next at {moments.iso(found.next_ms)}")


@command.command("run", short_help="Submit its job now, beside its times.")
@click.argument("name")
def run(name: str) -> None:
    """Submit the job of the schedule NAME now, paused or not, and print its id. Its times stay as they are.

    \b
        hysds schedule run nightly | xargs hysds logs -f
    """
    with Client() as client:
        click.echo(client.schedules.run_now(name).id)


@command.command("remove", short_help="Forget a schedule.")
@click.argument("name")
def remove(name: str) -> None:
    """Forget the schedule NAME. Jobs that it submitted stay as they are.

    \b
        hysds schedule remove nightly
    """
    with Client() as client:
        client.schedules.remove(name)
    click.echo(f"schedule {clean(name)} is removed")


def _values(schedule: Schedule) -> dict[str, object]:
    values = asdict(schedule) | {"spec": json.loads(schedule.spec)}
    for name in ("next_ms", "made_ms"):
        values[name.removesuffix("_ms")] = moments.iso(values.pop(name))
    for name in ("pending", "last"):
        firing = getattr(schedule, name)
        values[name] = firing and {"time": moments.iso(firing.tick_ms), "job_id": firing.job_id}
    return values


def _row(schedule: Schedule) -> tuple[str, ...]:
    last = schedule.last
    return (
        clean(schedule.name),
        clean(schedule.cron),
        clean(schedule.tz),
        "" if schedule.paused else _to_the_second(schedule.next_ms),
        _to_the_second(last.tick_ms) if last else "",
        last.job_id if last else "",
        cut(clean(schedule.error), 60) if schedule.error else "paused" if schedule.paused else "",
    )


def _to_the_second(ms: int) -> str:
    return f"{moments.iso(ms)[:19]}Z"


def _next_times(schedule: Schedule) -> list[str]:
    if schedule.paused:
        return []
    times, found = cron.cron(schedule.cron, schedule.tz), [schedule.next_ms]
    while len(found) < _SHOWN:
        found.append(times.after(found[-1]))
    return [moments.iso(ms) for ms in found]


def _paused(schedule: Schedule) -> str:
    return "; it is paused" if schedule.paused else ""
