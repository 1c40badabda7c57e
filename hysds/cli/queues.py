"""`hysds queues`: what stands in the queues and how fast it moves; pauses."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from hysds.cli import offers, tables
from hysds.cli.tables import Table
from hysds.cli.words import clean, seconds
from hysds.core import moments
from hysds.sdk.client import Client
from hysds.sdk.queues import QueueView

_COLUMNS = ("queue", "ready", "oldest", "running", "waiting", "in/min", "out/min", "workers", "paused")
_SHOWN = 3


@click.group(
    "queues", short_help="Show what stands in the queues; pause and resume one.", invoke_without_command=True
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a queue.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show all queues in use: how many jobs are ready and since when the oldest is, how many run and how many wait for
    what (a time, a limit, others), how many came and went a minute over the last five, which workers take jobs of it,
    and whether it is paused.

    \b
        hysds queues
        hysds queues --json | jq -r 'select(.workers == []) | .name'
        hysds queues pause gpu --reason 'new driver'
        hysds queues resume gpu
    """
    if context.invoked_subcommand is not None:
        return
    with Client() as client:
        views = client.queues()
    if as_json:
        for view in views:
            click.echo(tables.as_json(_document(view)))
    elif views:
        tables.show(Table(_COLUMNS, [_row(view) for view in views]))
    else:
        click.echo("no queue is in use", err=True)


@command.command("pause", short_help="Let no job of a queue start.")
@click.argument("queue", shell_complete=offers.queues)
@click.option("--reason", default="", help="Why, for whoever looks at the queue or at a job of it.")
def pause(queue: str, reason: str) -> None:
    """Let no job of QUEUE start until `hysds queues resume`. Jobs still enter it, and those that run go on.

    \b
        hysds queues pause gpu --reason 'new driver'
    """
    with Client() as client:
        client.pause_queue(queue, reason)
    click.echo(f"queue {queue} is paused until `hysds queues resume {queue}`")


@command.command("resume", short_help="Let jobs of a queue start again.")
@click.argument("queue", shell_complete=offers.queues)
def resume(queue: str) -> None:
    """Let jobs of QUEUE start again.

    \b
        hysds queues resume gpu
    """
    with Client() as client:
        was_paused = client.resume_queue(queue)
    click.echo(f"jobs of queue {queue} start again" if was_paused else f"queue {queue} was not paused")


def _row(view: QueueView) -> tuple[str, ...]:
    names = ", ".join(view.workers[:_SHOWN])
    more = len(view.workers) - _SHOWN
    pause = view.pause
    return (
        clean(view.name),
        str(view.ready),
        "" if view.oldest_s is None else seconds(view.oldest_s),
        str(view.running),
        ", ".join(f"{count} {clean(word)}" for word, count in view.waiting),
        f"{view.in_per_min:.1f}",
        f"{view.out_per_min:.1f}",
        clean(f"{names} and {more} more" if more > 0 else names),
        "" if pause is None else clean(f"since {moments.iso(pause.since_ms)} {pause.reason}".rstrip()),
    )


def _document(view: QueueView) -> dict[str, Any]:
    values = asdict(view) | {"waiting": dict(view.waiting), "pause": None}
    if view.pause is not None:
        values["pause"] = {"since": moments.iso(view.pause.since_ms), "reason": view.pause.reason}
    return values
