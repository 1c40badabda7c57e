"""`hysds priority`: have jobs that have not started come earlier or later."""

from __future__ import annotations

from typing import Any

import click

from hysds.cli import acting
from hysds.core.control import Verb
from hysds.core.repetition import Changes
from hysds.core.spec import MAX_PRIORITY
from hysds.sdk.client import Client


@click.command("priority", short_help="Have jobs that have not started come earlier or later.")
@click.argument("priority", metavar="N", type=click.IntRange(0, MAX_PRIORITY))
@acting.acts()
def command(priority: int, job_id: tuple[str, ...], **options: Any) -> int:
    """Give jobs that have not started the priority N, from 0 to 10 (10 comes first), or all such that match the
    conditions (- reads ids from stdin). One that has started meanwhile is left.

    \b
        hysds priority 9 01930f5e-7b1c-7000-8000-0123456789ab
        hysds priority 0 --queue gpu --user ann
    """
    what = acting.asked(job_id, options)
    with Client() as client:
        return acting.carried_out(client, Verb.PRIORITY, what, Changes(priority=priority))
