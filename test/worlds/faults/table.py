"""The matrix as a page: a row a step, a column a role, in each cell what became of the job."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from worlds.faults.cells import Cell
from worlds.faults.steps import ROLES, STEPS

PAGE = Path(__file__).parents[3] / "docs" / "fault-matrix.md"
_HEAD = """\
# The fault matrix

Written by `FAULT_MATRIX=write ./scripts/test test/faults`; every run of the tests makes all of these cells anew, with
real processes and real servers, and fails where a cell is missing here or nobody was killed.

Each cell is one job. At the step of its way that the row names, the role of the column is killed with SIGKILL: by
itself, where the step is its own, else by the process that is at that step and then goes on. What was killed is started
again as a supervisor would do it. Then the job ends once, as asked; the history checker finds no guarantee broken in
its events, its effects and its document; of the attempts that were lost no process, no key and no directory is left.
`where` is whose process is at the step. A job that is not concerned runs beside: where the job of the cell has no
keeper at a step, that job's keeper is killed, and a kill of indexer, reconciler, Valkey or RabbitMQ may not cost it an
attempt. Valkey keeps an append-only file (`appendfsync always`), and carries the bells too, save in the last column.

The cells tell how the job ended, and in how many attempts.
"""


def page(cells: Iterable[Cell]) -> str:
    """The whole file; a cell that was not run is empty."""
    shown = {(cell.step.name, cell.role): cell.shown for cell in cells}
    rows = [["step", "where", *ROLES], ["---"] * (2 + len(ROLES))]
    rows += [[step.name, step.where, *(shown.get((step.name, role), "") for role in ROLES)] for step in STEPS]
    return "\n".join([_HEAD, *(_line(row) for row in rows), ""])


def read(text: str) -> list[list[str]]:
    """The rows of a page's table, its head first."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if "---" not in row]


def _line(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"
