"""`hysds retry`: do ended jobs again, each as a new job that is linked to the old one."""

from __future__ import annotations

from typing import Any

import click

from hysds.cli import acting, offers, submissions
from hysds.core.control import Verb
from hysds.core.repetition import Changes
from hysds.core.spec import MAX_PRIORITY
from hysds.sdk.client import Client


@click.command("retry", short_help="Do ended jobs again, as new ones.")
@acting.acts("--from-queue")
@click.option(
    "--queue", shell_complete=offers.queues, help="Into this queue. Default: where the job stood last."
)
@click.option(
    "--priority", type=click.IntRange(0, MAX_PRIORITY), help="With this priority. Default: as it had."
)
def command(job_id: tuple[str, ...], queue: str | None, priority: int | None, **options: Any) -> int:
    """Do ended jobs again, however they ended (- reads ids from stdin), and print the ids of the new jobs; or do all
    again that match the conditions: of failed and revoked ones alone, where no --status is given.

    A new job is no duplicate of the one that it repeats, and both documents name each other. It does the same work
    with the same limits, at once. Where yet another job does that work, such as an earlier retry, the id of that one is
    printed, and stderr says so. A job that is a duplicate itself is refused, with the id of the one to retry.

    Of named jobs all are retried, or none is: a live job is refused (cancel it first), and so is one that the ledger
    has forgotten and that had values in its env, as documents don't hold them. By conditions each job is judged for
    itself, and one that was retried before is left: the same command once more does none twice.

    \b
        hysds retry 01930f5e-7b1c-7000-8000-0123456789ab
        hysds retry --queue default --priority 9 "$id"
        hysds retry --status failed --failure-class gpu --since 2h
    """
    what = acting.asked(job_id, options)
    changes = Changes(queue, priority)
    with Client() as client:
        if not what.ids or what.manner.dry_run:
            return acting.carried_out(client, Verb.RETRY, what, changes)
        new = client.retry_many(what.ids, queue, priority)
        obstacles = client.obstacles(new)
    return submissions.show(zip(what.ids, new, strict=True), obstacles, what.manner.as_json)
