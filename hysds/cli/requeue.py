"""`hysds requeue`: move jobs that have not started to another queue."""

from __future__ import annotations

from typing import Any

import click

from hysds.cli import acting, offers
from hysds.core.control import Verb
from hysds.core.repetition import Changes
from hysds.sdk.client import Client


@click.command("requeue", short_help="Move jobs that have not started to another queue.")
@acting.acts("--from-queue")
@click.option("--queue", required=True, shell_complete=offers.queues, help="Into this queue.")
def command(job_id: tuple[str, ...], queue: str, **options: Any) -> int:
    """Move jobs that have not started to another queue (- reads ids from stdin), or all such that match the conditions.
    Each keeps its place in time and its priority; one that has started meanwhile is left.

    \b
        hysds requeue --queue gpu-large 01930f5e-7b1c-7000-8000-0123456789ab
        hysds requeue --queue gpu-large --from-queue gpu --tag trial
    """
    what = acting.asked(job_id, options)
    with Client() as client:
        return acting.carried_out(client, Verb.REQUEUE, what, Changes(queue=queue))
