"""Tables on a terminal. The only file that knows rich.

What somebody will copy is never cut. Where rows are to stay lines, less important columns give way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.table import Table as RichTable
from rich.text import Text

from hysds.cli.tables import Table
from hysds.cli.top_frame import Section

_WHOLE = frozenset({"id", "status", "queued", "took"})
"""Columns that are short, or that somebody will copy: the others give way."""

_FIRST = 2
"""So many of the most important columns stand on every terminal; on one that is too narrow the line goes on below."""

_GAP = 2
_SHORTEST = 8
"""A column that is shortened further says nothing."""

_COLOURS = {
    "job-completed": "green",
    "job-failed": "red",
    "job-revoked": "yellow",
    "job-started": "cyan",
    "job-offline": "magenta",
}


def show(table: Table) -> None:
    """Draw a table as wide as the terminal."""
    console = Console(highlight=False)
    if not table.importance:
        console.print(_folded(table))
        return
    for line in lines(table, console.width):
        console.print(line, soft_wrap=True)


def lines(table: Table, width: int) -> list[Text]:
    """The table with its importance, its head and each row one line of so many cells."""
    widths = _widths(table, width)
    head = {column: Text(column, style="bold") for column in table.columns}
    rows = [dict(zip(table.columns, map(_coloured, row), strict=True)) for row in table.rows]
    return [_line(cells, widths) for cells in (head, *rows)]


def _folded(table: Table) -> RichTable:
    drawn = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for column in table.columns:
        drawn.add_column(column, overflow="fold", no_wrap=column in _WHOLE)
    for row in table.rows:
        # Text and not a string: square brackets in a job's name are no markup.
        drawn.add_row(*(_coloured(cell) for cell in row))
    return drawn


def _widths(table: Table, width: int) -> dict[str, int]:
    """How wide each column that is shown is, in the order of the table."""
    full = {
        column: max(cell_len(column), *(cell_len(row[at]) for row in table.rows), 0)
        for at, column in enumerate(table.columns)
    }
    found: dict[str, int] = {}
    left = width + _GAP  # there is none behind the last column
    for place, column in enumerate(table.importance):
        least = full[column] if column in _WHOLE else min(full[column], _SHORTEST)
        if place >= _FIRST and least + _GAP > left:
            break  # a lesser one would take the room that those before it are shortened for
        found[column] = least
        left -= least + _GAP
    for column, least in found.items():
        more = max(min(full[column] - least, left), 0)
        found[column] = least + more
        left -= more
    return {column: found[column] for column in table.columns if column in found}


def _line(cells: Mapping[str, Text], widths: Mapping[str, int]) -> Text:
    line = Text()
    for column, width in widths.items():
        cell = cells[column].copy()
        cell.truncate(width, overflow="ellipsis", pad=True)
        line.append_text(cell).append(" " * _GAP)
    line.rstrip()
    return line


def _coloured(cell: str) -> Text:
    return Text(cell, style=_COLOURS.get(cell, ""))


def live(looks: Iterator[Sequence[Section]]) -> None:
    """Draw sections over and over on a screen of their own, until Ctrl-C, which ends it in order.

    What does not fit on the screen is left out from the end of each section but the head.
    """
    console = Console(highlight=False)
    with suppress(KeyboardInterrupt), Live(console=console, screen=True, auto_refresh=False) as screen:
        for sections in looks:
            drawn = drawn_in(sections, console.width, console.height)
            screen.update(Text("\n").join(drawn), refresh=True)


def drawn_in(sections: Sequence[Section], width: int, height: int) -> list[Text]:
    """The lines of a screen of this size. Each section has its title and an equal part of what room there is; what one
    does not need the next ones have.
    """
    blocks = [_block(section, width) for section in sections]
    found: list[Text] = []
    for at, block in enumerate(blocks):
        left = len(blocks) - at
        room = max((height - len(found)) // left, 1)
        gap = [Text("")] if at else []
        found += (gap + block)[:room]
    return found[:height]


def _block(section: Section, width: int) -> list[Text]:
    title = Text(section.title, style="bold")
    title.truncate(width, overflow="ellipsis")
    below = [] if section.table is None else lines(section.table, width)
    for line in below:
        line.truncate(width)
    return [title, *below]
