"""Which job to show when one is asked for: of a duplicate, the job that stands for it."""

from __future__ import annotations

from typing import Any

import click

from hysds.sdk.client import Client


def for_job(client: Client, job_id: str) -> dict[str, Any]:
    """The document of the job, or of the one that stands for it; stderr says when it is another.

    Raises: NotFound
    """
    document = client.job(job_id)
    seen = {job_id}
    while (twin := document.get("dedup_job")) and twin not in seen:
        click.echo(f"job {document['id']} is a duplicate of job {twin}", err=True)
        document = client.job(twin)
        seen.add(twin)
    return document
