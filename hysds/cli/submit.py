"""`hysds submit`: hand jobs to the system and print their ids, one a line, in the order of the specs."""

from __future__ import annotations

from typing import Any

import click

from hysds.cli import by_type, offers, specs, submissions
from hysds.sdk.client import Client


@click.command("submit", short_help="Submit jobs and print their ids.")
@click.argument("spec", nargs=-1, shell_complete=offers.files)
@by_type.options
@click.option("--force", is_flag=True, help="Also where another job does the same; which one, stderr says.")
@click.option(
    "--array",
    default=None,
    metavar="INDICES",
    help="A job for each index, as a group: 0-999, 1,4,7-9, 0-999:10; 0-999%50 for at most 50 at once.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a job instead of its id.")
def command(spec: tuple[str, ...], force: bool, array: str | None, as_json: bool, **given: Any) -> int:
    """Submit the jobs that the files SPEC describe (- is stdin), or those of a registered type; print an id for each.

    A spec is a JSON object with job_type ("job:NAME") and payload, whose _command is the command line, which no shell
    reads; sizes have units, as 64GB or 64GiB. docs/job-spec.md has the other fields.

    A file may hold several specs, one a line. All are checked before any is submitted. Of a duplicate the id of the job
    that stands for it is printed, and stderr says so, with both ids; with --json its own is `id`, the other
    `dedup_job`. With --force it runs beside that one, which is `forced_beside` then. A spec whose command or env names
    HYSDS_SUBMIT_DIR gets that variable, with the current directory.

    With --array a spec becomes a group: a job for each index, which finds it in HYSDS_ARRAY_INDEX and in place of each
    word $array_index of its command; the printed id is the group's.

    With --type the job is made from the type's interface: parameters are checked, and go where that wants them. With
    --over it is about jobs that a query finds: one job for each, or one for all, as the interface says. The options
    from --param to --time-limit, and --yes, are for --type alone; a file says such things in its spec.

    \b
        hysds submit job.json
        id=$(hysds submit job.json) && hysds logs -f "$id"
        hysds submit --json job.json | jq -r '.dedup_job // .id'
        hysds submit --dry-run job.json | jq -c '.tag = "again"' | hysds submit -
        hysds submit --array 0-999%50 tile.json
        hysds submit --type job-hello:v1 --param greeting=hi
        hysds submit --type job:grid --param size:=3 --param 'colours:=["red", "blue"]'
        hysds submit --type job-again:v1 --over '--status failed --tag trial' --dry-run
    """
    if given["job_type"] is not None:
        if spec:
            raise click.UsageError("a type makes the spec: give --type or files, not both")
        if array is not None:
            raise click.UsageError(
                "--array: for a submission by files; a type's jobs are made from its interface"
            )
        return by_type.submit(given, force, as_json)
    if not spec:
        raise click.UsageError("what is to be submitted? Give a file, - for stdin, or --type")
    if foreign := by_type.without_type(given):
        raise click.UsageError(
            f"{', '.join(foreign)}: for a submission by --type; a file says such things in its spec"
        )
    with Client() as client:
        loaded = specs.load_all(spec, client, force, array)
        specs.check(loaded.names, loaded.specs, client)
        if given["dry_run"]:
            return by_type.foretell(loaded.specs)
        taken = client.submit_many(loaded.specs)
        obstacles = client.obstacles(taken)
    return submissions.show(zip(loaded.names, taken, strict=True), obstacles, as_json)
