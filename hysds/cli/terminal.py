"""Tables on a terminal. The only file that knows rich."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from hysds.cli.tables import Table

_WHOLE = frozenset({"id", "status", "queued", "took"})
"""Columns that are short, or that somebody will copy: the others give way."""

_COLOURS = {
    "job-completed": "green",
    "job-failed": "red",
    "job-revoked": "yellow",
    "job-started": "cyan",
    "job-offline": "magenta",
}


def show(table: Table) -> None:
    """Draw a table as wide as the terminal; long cells are folded, never cut."""
    drawn = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns:
        drawn.add_column(column, overflow="fold", no_wrap=column in _WHOLE)
    for row in table.rows:
        # Text and not a string: square brackets in a job's name are no markup.
        drawn.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    Console(highlight=False).print(drawn)
