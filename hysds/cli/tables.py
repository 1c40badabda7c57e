"""Rows for people: a table that rich draws on a terminal, aligned columns everywhere else.

In a pipe nothing is cut or wrapped, so a line stays a line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

_TERMINAL = "hysds.cli.terminal"
"""Loads rich, so it is loaded on terminals alone."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows, all of them clean text (`words.clean`)."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    importance: tuple[str, ...] = ()
    """All columns, the most important first: then a row is one line on a terminal, where the first two columns stand
    whole whatever its width, and others are shortened or left out. Empty: long cells are folded."""


def show(table: Table) -> None:
    """Print a table on stdout."""
    if sys.stdout.isatty():
        import_module(_TERMINAL).show(table)
    else:
        click.echo("\n".join(plain(table)))


def plain(table: Table) -> list[str]:
    """The table as lines: columns two spaces apart, the last one as long as it is."""
    rows = [table.columns, *table.rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(table.columns))]
    widths[-1] = 0
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def as_json(values: Mapping[str, Any]) -> str:
    """One object on one line, in ASCII: safe in every encoding."""
    return json.dumps(values, separators=(",", ":"))
