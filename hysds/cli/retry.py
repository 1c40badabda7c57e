"""`hysds retry`: do ended jobs again, each as a new job that is linked to the old one."""

from __future__ import annotations

import click

from hysds.cli import id_arguments, offers, submissions
from hysds.core.spec import MAX_PRIORITY
from hysds.sdk.client import Client


@click.command("retry", short_help="Do ended jobs again, as new ones.")
@click.argument("job_id", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--queue", shell_complete=offers.queues, help="Into this queue. Default: where the job stood last."
)
@click.option(
    "--priority", type=click.IntRange(0, MAX_PRIORITY), help="With this priority. Default: as it had."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a new job instead of its id.")
def command(job_id: tuple[str, ...], queue: str | None, priority: int | None, as_json: bool) -> int:
    """Do ended jobs again, however they ended (- reads ids from stdin), and print the ids of the new jobs.

    A new job is no duplicate of the one that it repeats, and both documents name each other. It does the same work
    with the same limits, at once. Where yet another job does that work, such as an earlier retry, the id of that one is
    printed, and stderr says so. A job that is a duplicate itself is refused, with the id of the one to retry.

    All are retried, or none is: a live job is refused (cancel it first), and so is one that the ledger has forgotten
    and that had values in its env, as documents don't hold them.

    \b
        hysds retry 01930f5e-7b1c-7000-8000-0123456789ab
        hysds retry --queue default --priority 9 "$id"
        hysds jobs --status failed --tag trial --json | jq -r .id | hysds retry -
    """
    wanted = id_arguments.given(job_id)
    with Client() as client:
        new = client.retry_many(wanted, queue, priority)
        obstacles = client.obstacles(new)
    return submissions.show(zip(wanted, new, strict=True), obstacles, as_json)
