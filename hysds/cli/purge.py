"""`hysds purge`: take ended jobs out for good."""

from __future__ import annotations

from typing import Any

import click

from hysds.cli import acting
from hysds.core.control import Verb
from hysds.sdk.client import Client


@click.command("purge", short_help="Take ended jobs out for good.")
@acting.acts()
def command(job_id: tuple[str, ...], **options: Any) -> int:
    """Take ended jobs out for good (- reads ids from stdin), or all ended ones that match the conditions: their
    records, documents and work directories. Their work may then be asked for again, as no duplicate.

    A job that has not ended is left: cancel it first. Directories are removed by a worker of the host where they lie,
    within half a minute; where none runs, by the next that starts there. A purge that was interrupted is finished by
    the same command once more.

    \b
        hysds purge 01930f5e-7b1c-7000-8000-0123456789ab
        hysds purge --tag trial --ended-until 30d --dry-run
        hysds purge --tag trial --ended-until 30d --yes
    """
    what = acting.asked(job_id, options)
    with Client() as client:
        return acting.carried_out(client, Verb.PURGE, what)
