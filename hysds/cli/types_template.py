"""`hysds types template`: files of job types to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from hysds.orchestrator import type_templates


@click.command("template", short_help="Write files of job types to begin with.")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def command(directory: Path) -> None:
    """Write orchestrator_jobs.json, with the creators that come with HySDS, and job_worker.json, with a type that has a
    command, into DIR. Edit them, name DIR in catalog.paths, and publish them.

    \b
        hysds types template types
        HYSDS_CATALOG_PATHS=types hysds config reload
    """
    for path in type_templates.put(directory):
        click.echo(path)
