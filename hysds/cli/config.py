"""`hysds config show`: every setting with its value, secrets masked, and where it came from."""

from __future__ import annotations

import click

from hysds.cli import tables
from hysds.cli.tables import Table
from hysds.settings import load
from hysds.settings.show import Row, rows


@click.group("config", short_help="Show the settings and where they come from.")
def command() -> None:
    """Show the settings of a process that is started here: arguments, HYSDS_… variables, one file, defaults.

    \b
        hysds config show --origin
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
