"""`hysds submit`: hand jobs to the system and print their ids, one a line, in the order of the specs."""

from __future__ import annotations

import click

from hysds.cli import offers, specs, submissions
from hysds.sdk.client import Client


@click.command("submit", short_help="Submit jobs and print their ids.")
@click.argument("spec", nargs=-1, required=True, shell_complete=offers.files)
@click.option("--force", is_flag=True, help="Also where another job does the same; which one, stderr says.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a job instead of its id.")
def command(spec: tuple[str, ...], force: bool, as_json: bool) -> int:
    """Submit the jobs that the files SPEC describe (- is stdin), and print an id for each.

    A spec is a JSON object with job_type ("job:NAME") and payload, whose _command is the command line, which no shell
    reads; sizes have units, as 64GB or 64GiB. docs/job-spec.md has the other fields.

    All specs are checked before any is submitted. Of a duplicate the id of the job that stands for it is printed, and
    stderr says so, with both ids; with --json its own is `id`, the other `dedup_job`. With --force it runs beside that
    one, which is `forced_beside` then. A spec whose command or env names
    HYSDS_SUBMIT_DIR gets that variable, with the current directory.

    \b
        hysds submit job.json
        id=$(hysds submit job.json) && hysds logs -f "$id"
        hysds submit --json job.json | jq -r '.dedup_job // .id'
        generate | hysds submit -
    """
    with Client() as client:
        jobs = specs.load(spec, client, force)
        specs.check(spec, jobs, client)
        taken = client.submit_many(jobs)
        obstacles = client.obstacles(taken)
    return submissions.show(zip(spec, taken, strict=True), obstacles, as_json)
