"""`hysds top`: queues, workers and running jobs, as they are now; on a terminal drawn anew every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from importlib import import_module

import click

from hysds.cli import tables, top_frame
from hysds.cli.tables import plain
from hysds.cli.top_frame import Section
from hysds.core.errors import Unreachable
from hysds.sdk.client import Client

_TERMINAL = "hysds.cli.terminal"
"""Loads rich, so it is loaded on terminals alone."""


@click.command("top", short_help="Show queues, workers and running jobs, live.")
@click.option("--once", is_flag=True, help="Print them once and end, as in a pipe.")
@click.option("--json", "as_json", is_flag=True, help="Once, as one JSON object.")
@click.option(
    "--interval",
    default=2.0,
    type=click.FloatRange(0.2, 3600),
    show_default=True,
    help="Seconds between two looks.",
)
@click.option(
    "--jobs", "most", default=50, type=click.IntRange(0, 500), show_default=True, help="Running jobs at most."
)
def command(once: bool, as_json: bool, interval: float, most: int) -> None:
    """Show the system as its ledger knows it: how busy it is, what stands in the queues, what each worker has, and the
    running jobs, the longest running first. On a terminal until Ctrl-C; a ledger that is away is waited for.

    \b
        hysds top
        hysds top --once
        hysds top --json | jq '.workers[] | {name, load, slots_used}'
    """
    with Client() as client:
        if as_json:
            click.echo(tables.as_json(top_frame.document(client.overview(most))))
        elif once or not sys.stdout.isatty():
            sections = top_frame.sections(client.overview(most))
            click.echo("\n\n".join("\n".join(_plain(section)) for section in sections))
        else:
            import_module(_TERMINAL).live(_looks(client, interval, most))


def _plain(section: Section) -> Iterator[str]:
    if section.title:
        yield section.title
    if section.table is not None:
        yield from plain(section.table)


def _looks(client: Client, interval_s: float, most: int) -> Iterator[tuple[Section, ...]]:
    """What there is to see, without an end; a pause between."""
    last: tuple[Section, ...] = ()
    while True:
        try:
            last = top_frame.sections(client.overview(most))
            yield last
        except Unreachable as error:
            yield (top_frame.away(str(error)), *last[1:])
        time.sleep(interval_s)
