"""`hysds config show`: every setting with its value, secrets masked, and where it came from. `hysds config render`: the
same as a file for Celery. `hysds config reload`: the files of job types, for all submitters.
"""

from __future__ import annotations

from pathlib import Path

import click

from hysds.cli import rendered_file, tables, type_files
from hysds.cli.tables import Table
from hysds.cli.words import clean
from hysds.sdk.client import Client
from hysds.settings import load, rendering
from hysds.settings.show import Row, rows


@click.group("config", short_help="Show the settings, render them, reload job types.")
def command() -> None:
    """Show the settings of a process that is started here (arguments, HYSDS_… variables, one file, defaults), render
    them as a celeryconfig.py, or publish the files of job types that they name.

    \b
        hysds config show --origin
        hysds config render celeryconfig.py
        hysds config reload
    """


@command.command("show", short_help="Print all settings.")
@click.option("--origin", is_flag=True, help="Also where each value came from.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a setting, with its meaning and variable."
)
def show(origin: bool, as_json: bool) -> None:
    """Print all settings with their values; passwords are masked.

    \b
        hysds config show --origin
        hysds config show --json | jq -r 'select(.origin != "default") | .name'
    """
    loaded = load.load()
    for notice in loaded.notices:
        click.echo(f"note: {notice}", err=True)
    found = rows(loaded.settings, loaded.origins)
    if as_json:
        for row in found:
            click.echo(tables.as_json(_fields(row)))
        return
    columns = ("setting", "value", "origin") if origin else ("setting", "value")
    tables.show(Table(columns, [(row.name, _shown(row), row.origin)[: len(columns)] for row in found]))


@command.command("render", short_help="Write the settings as a celeryconfig.py.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that was not rendered, or was edited since.")
def render(file: Path | None, force: bool) -> None:
    """Write the settings at hand as a celeryconfig.py, from the template that HySDS ships: plain Celery reads it
    (celery --config celeryconfig), and so does HySDS (HYSDS_CONFIG=celeryconfig.py).

    FILE is written with its passwords and with mode 600. Without FILE the text is printed, and passwords are masked.
    What nobody set is left out, so that the file fits other hosts too.

    \b
        hysds config render
        hysds config render celeryconfig.py
        HYSDS_CONFIG=celeryconfig.py hysds config show --origin
    """
    loaded = load.load()
    stem = "celeryconfig" if file is None else file.stem
    text = rendering.rendered(loaded.settings, loaded.origins, stem, masks=file is None)
    is_secret = rendering.holds_secrets(loaded.settings, loaded.origins)
    if file is None:
        click.echo(text, nl=False)
        if is_secret:
            click.echo(
                "note: passwords are masked; name a file to have them written, with mode 600", err=True
            )
        return
    if not stem.isidentifier() or file.suffix != ".py":
        raise click.BadParameter(
            f"{file} is no module's file: take a name such as celeryconfig.py", param_hint="FILE"
        )
    rendered_file.put(file, text, force)
    secret = "; it holds passwords" if is_secret else ""
    click.echo(f"{file} is written, with mode 600{secret}", err=True)


@command.command("reload", short_help="Publish the files of job types.")
@click.option("--dry-run", is_flag=True, help="Publish nothing; say what would change.")
@click.option("--json", "as_json", is_flag=True, help="What changed as one JSON object.")
def reload(dry_run: bool, as_json: bool) -> None:
    """Read the files that catalog.paths names (HYSDS_CATALOG_PATHS) and publish their job types: all submitters use
    them within two seconds. The set is published as a whole, or not at all where any of it can't be used; types that
    `hysds types add` brought stay.

    \b
        hysds config reload --dry-run
        hysds config reload
    """
    with Client() as client:
        done = client.reload_types(publishes=not dry_run)
    for note in done.notes:
        click.echo(f"note: {clean(str(note))}", err=True)
    if as_json:
        changes = {"added": done.added, "changed": done.changed, "removed": done.removed}
        click.echo(tables.as_json({"digest": done.known.digest, "types": len(done.known.types), **changes}))
    else:
        click.echo(clean(type_files.told(done)))
    if dry_run:
        click.echo("nothing was published: --dry-run", err=True)


def _shown(row: Row) -> str:
    return f"{row.value}: {row.effective}" if row.effective else row.value


def _fields(row: Row) -> dict[str, str | None]:
    return {
        "name": row.name,
        "value": row.value if row.is_set else None,
        "effective": row.effective or None,
        "origin": row.origin,
        "meaning": row.meaning,
        "variable": row.variable,
    }
