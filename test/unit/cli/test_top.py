"""What `hysds top` shows of a moment: what has work first, nothing that steers a terminal, no more than fits."""

from __future__ import annotations

import json

from hysds.cli import terminal, top_frame
from hysds.cli.tables import Table
from hysds.cli.top_frame import Section
from hysds.core.floor_requests import Fit, WorkerState
from hysds.core.queue_tallies import Pause
from hysds.ports.ledger import Pulse
from hysds.sdk.happenings import Overview
from hysds.sdk.queues import QueueView

_NOW_MS = 1_800_000_000_000


def _worker(name: str, held: int = 0, **facts: object) -> WorkerState:
    told = {
        "lease_ms": 30_000,
        "announce_ms": 60_000,
        "load": [0.5, 1, 2],
        "memory": {"free_bytes": 10**9, "total_bytes": 4 * 10**9},
        **facts,
    }
    jobs = tuple((f"{name}-{number}", 1) for number in range(held))
    return WorkerState(f"{name}/1", "host", name, ("q",), 4, Fit(), json.dumps(told), 60_000, jobs)


def _job(number: int) -> dict[str, object]:
    info = {"time_start": "2027-01-15T07:59:30.000Z"}
    return {
        "id": f"job-{number}",
        "type": "job:x",
        "queue": "q",
        "phase": "execute",
        "celery_hostname": "celery@a",
        "progress": "50%\x1b[2J",
        "job": {"job_info": info},
    }


def _overview(**changes: object) -> Overview:
    queues = (
        QueueView("idle", 0, None, 0, (), 0.0, 0.0, ()),
        QueueView("paused", 3, 61.0, 0, (("time", 2),), 1.25, 0.0, ("a",), Pause(1, "new driver")),
    )
    plain: dict[str, object] = {
        "at_ms": _NOW_MS,
        "pulse": Pulse("valkey 9.1", 5 * 10**6, 10**9, 2, 1),
        "behind": 7,
        "queues": queues,
        "workers": (_worker("celery@a"), _worker("celery@z", held=2)),
        "running": (_job(1), _job(2)),
        "running_in_all": 2,
    }
    return Overview(**{**plain, **changes})  # type: ignore[arg-type]


def _rows(section: Section) -> list[list[str]]:
    assert section.table is not None
    return [list(row) for row in section.table.rows]


def test_what_has_work_stands_first() -> None:
    """Queues and workers; the head adds up."""
    head, queues, workers, jobs = top_frame.sections(_overview())

    assert head.title == (
        "2027-01-15T08:00:00.000Z | 3 ready, 2 waiting, 2 running | 2 workers, 2 of 8 slots busy | "
        "7 events to index | valkey 9.1, 5 MB of 1 GB"
    )
    assert [row[0] for row in _rows(queues)] == ["paused", "idle"]
    assert _rows(queues)[0][-1] == "paused new driver"
    assert [row[0] for row in _rows(workers)] == ["celery@z", "celery@a"]
    assert _rows(workers)[0][1:7] == ["working", "2/4", "2", "0.50, 1.00, 2.00", "1 GB of 4 GB", ""]
    assert [row[4] for row in _rows(jobs)] == ["30.00 s", "30.00 s"]


def test_nothing_that_is_shown_steers_a_terminal() -> None:
    """What jobs and workers wrote themselves is escaped."""
    odd = _worker("celery@\x1b[31m", load=["\x1b"], memory={"free_bytes": "\x1b", "total_bytes": 1})

    shown = top_frame.sections(_overview(workers=(odd,)))

    assert "\x1b" not in "".join(section.title for section in shown)
    assert "\x1b" not in "".join(
        cell for section in shown if section.table for row in section.table.rows for cell in row
    )


def test_a_system_without_anything_is_shown_too() -> None:
    """Titles alone, and JSON with empty lists."""
    empty = _overview(queues=(), workers=(), running=(), running_in_all=0, behind=0)

    assert [section.table for section in top_frame.sections(empty)] == [None] * 4
    told = json.loads(json.dumps(top_frame.document(empty)))
    assert (told["queues"], told["workers"], told["jobs"]) == ([], [], [])


def test_as_json_it_has_all_of_it() -> None:
    """Documents of jobs, workers as `hysds workers --json` has them."""
    told = json.loads(json.dumps(top_frame.document(_overview())))

    assert (told["running"], told["events_to_index"], told["memory_bytes"]) == (2, 7, 5 * 10**6)
    assert told["queues"][1]["waiting"] == {"time": 2}
    assert told["workers"][0]["memory"]["free_bytes"] == 10**9
    assert told["jobs"][0]["id"] == "job-1"


def test_a_screen_is_never_overfull_and_each_section_has_a_part_of_it() -> None:
    """However small it is; what one section does not need the next ones have."""
    rows = [[str(number), "x" * 300] for number in range(100)]
    large = Table(("n", "text"), rows, ("n", "text"))
    sections = (Section("head"), Section("a", large), Section("b", large), Section("c", large))

    for height in (1, 2, 5, 24, 60, 500):
        for width in (1, 20, 80, 400):
            drawn = terminal.drawn_in(sections, width, height)
            assert len(drawn) <= height
            assert all(line.cell_len <= width for line in drawn)

    titles = [line.plain for line in terminal.drawn_in(sections, 80, 24) if len(line.plain) == 1]
    assert titles == ["a", "b", "c"]
    assert len(terminal.drawn_in(sections, 80, 24)) == 24
