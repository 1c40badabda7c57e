"""`hysds logs`: what a job wrote, now or as it comes."""

from __future__ import annotations

import click

from hysds.cli import exits, standing, watching
from hysds.cli.exits import Exit
from hysds.cli.live import Machines, People, Screen, Watcher
from hysds.sdk.client import Client
from hysds.sdk.following import Place


@click.command("logs", short_help="Print a job's output; with -f, as it comes.")
@click.argument("job_id", metavar="ID")
@click.option(
    "-f", "--follow", is_flag=True, help="From the start, as it comes, until the job ends; exit as the job."
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a piece: fence, stream, offset, text or base64."
)
def command(job_id: str, follow: bool, as_json: bool) -> int:
    """Print what a job wrote, its stdout on stdout and its stderr on stderr, byte for byte.

    The live log holds the newest output for some time after the job's end; after that its files are read, if they are
    on this host. With -f the exit code is the job's: 0 completed, 1 failed, 3 revoked. Ctrl-C only stops watching.

    \b
        hysds logs 01930f5e-7b1c-7000-8000-0123456789ab
        hysds logs -f "$id" && echo completed
    """
    screen = Screen.of_process()
    watcher: Watcher = Machines() if as_json else People(screen, says_all=False)
    with Client() as client:
        found = standing.for_job(client, job_id)
        if follow and not watching.has_ended(found):
            found = watching.to_its_end(client, found["id"], watcher, Place())
        else:
            watching.what_is_left(client, found, watcher, screen)
    return exits.of_status(found["status"]) if follow else Exit.COMPLETED
