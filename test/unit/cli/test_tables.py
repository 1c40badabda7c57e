"""Tables for people, objects for machines."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from hysds.cli import summary, tables, terminal
from hysds.cli.tables import Table

_TABLE = Table(("id", "error"), [("a", "none"), ("long-id", "a [red] error   with spaces ")])


def test_columns_are_aligned_and_the_last_one_is_never_cut() -> None:
    """In a pipe a row is a line, whatever its length."""
    wide = Table(("id", "error"), [("a", "x" * 500), ("long-id", "")])

    assert tables.plain(_TABLE) == ["id       error", "a        none", "long-id  a [red] error   with spaces"]
    assert tables.plain(wide)[1] == f"a        {'x' * 500}"


def test_a_table_without_rows_is_its_head() -> None:
    """An empty answer still says what was asked."""
    assert tables.plain(Table(("id", "status"), [])) == ["id  status"]


def test_json_is_one_ascii_line() -> None:
    """Safe in every encoding, and the same value again when read."""
    values = {"name": "größe 🚀\n\u2028", "n": 1}
    text = tables.as_json(values)

    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text) == values


def test_brackets_in_a_cell_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """What a job is called can't colour the table."""
    terminal.show(_TABLE)

    assert "a [red] error" in capsys.readouterr().out


_ID = "01930f5e-7b1c-7000-8000-0123456789ab"
_INFO = {"job_info": {"time_queued": "2030-01-31T18:00:00.000Z", "duration": 12.5}}
_LONG = {"type": "job:x" * 30, "queue": "q" * 120, "dedup_msg": "e" * 99}
_JOBS = summary.table(
    [
        {"id": _ID, "status": "job-completed", "type": "job:word-count", "queue": "default", "job": _INFO},
        {"id": _ID, "status": "job-deduped", **_LONG},
    ]
)


@pytest.mark.parametrize("width", [1, 40, 60, 80, 81, 100, 120, 200, 1000])
def test_a_job_is_one_line_with_its_id_and_status_whole(width: int) -> None:
    """What is copied is never cut; the line is no wider than the terminal unless these two alone are."""
    head, *rows = [line.plain for line in terminal.lines(_JOBS, width)]

    assert [row.split()[:2] for row in rows] == [[_ID, "job-completed"], [_ID, "job-deduped"]]
    assert head.split()[:2] == ["id", "status"]
    assert all(len(line) <= max(width, len(_ID) + 2 + len("job-completed")) for line in (head, *rows))
    assert "\n" not in head + rows[0] + rows[1]


def test_columns_come_with_the_width_and_say_where_they_are_cut() -> None:
    """A head of a column is there whole or not at all; a cell that was shortened ends in an ellipsis."""
    heads = {width: terminal.lines(_JOBS, width)[0].plain.split() for width in (60, 80, 100, 1000)}
    cut = terminal.lines(_JOBS, 80)[2].plain.split()

    assert heads == {
        60: ["id", "status"],
        80: ["id", "status", "type", "error"],
        100: ["id", "status", "type", "queue", "took", "error"],
        1000: list(summary.COLUMNS),
    }
    assert all(cell.endswith("…") for cell in cut[2:])
    assert len(cut) == 4


@pytest.mark.parametrize("on_terminal", [True, False])
def test_rich_draws_on_terminals_alone(on_terminal: bool, tmp_path: Path) -> None:
    """In a pipe nothing of it is even loaded."""
    ours, theirs = pty.openpty() if on_terminal else os.pipe()
    code = (
        "import sys\nfrom hysds.cli.main import main\nmain(['config', 'show'])\n"
        "print('rich' in sys.modules, file=sys.stderr)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": "", "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        shown = b""
        while data := _read(ours):
            shown += data
        assert process.stderr is not None
        told = process.stderr.read().split()
    os.close(ours)

    assert process.returncode == 0
    assert told == [str(on_terminal).encode()]
    assert b"ledger.url" in shown


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except OSError:  # how a terminal tells that nobody has it open any more
        return b""
