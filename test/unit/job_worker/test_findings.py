"""What a command left behind is read, however broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hysds.job_worker import findings
from hysds.leasing import workdir
from hysds.leasing.workdir import WorkDir


@pytest.fixture
def place(tmp_path: Path) -> WorkDir:
    found = workdir.locate(tmp_path, "job", 7, 0)
    workdir.create(found)
    found.context.write_text("{}")
    return found


def test_the_jobs_own_words_are_read(place: WorkDir) -> None:
    """Error, traceback, messages and details, as HySDS's jobs write them."""
    place.alt_error.write_text("no scene\n")
    place.alt_traceback.write_text("line 1\nline 2\n")
    place.alt_msg.write_text("one\n\ntwo\n")
    place.alt_msg_details.write_text("details")

    found = findings.collect(place)

    assert (found.error, found.traceback, found.msg, found.msg_details, found.notes) == (
        "no scene",
        "line 1\nline 2",
        ("one", "two"),
        "details",
        (),
    )


def test_metrics_of_the_whole_tree_are_gathered_but_not_through_links(place: WorkDir, tmp_path: Path) -> None:
    """Foreign metrics behind a link were counted as the job's own (W-34)."""
    foreign = tmp_path / "cache"
    foreign.mkdir()
    (foreign / "pge_metrics.json").write_text('{"download": ["foreign"]}')
    (place.path / "input").symlink_to(foreign)
    (place.path / "sub").mkdir()
    (place.path / "sub" / "a_pge_metrics.json").write_text('{"download": ["a"], "upload": ["b"]}')
    (place.path / "_docker_stats.json").write_text('{"cpu": 1}')

    assert findings.collect(place).metrics == {
        "inputs_localized": ["a"],
        "products_staged": ["b"],
        "usage_stats": [{"cpu": 1}],
    }


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[1]", b"NaN", b"[" * 100_000, b""])
def test_a_broken_context_is_told_and_costs_nothing(place: WorkDir, content: bytes) -> None:
    """In the original it made the job a zombie for a day (W-5)."""
    place.context.write_bytes(content)

    [note] = findings.collect(place).notes
    assert "_context.json" in note


def test_a_deleted_context_is_told(place: WorkDir) -> None:
    """Also a link to nowhere or to a secret is not followed."""
    place.context.unlink()
    assert findings.collect(place).notes == ("_context.json is gone: the job deleted it",)

    place.context.symlink_to("/etc/passwd")
    [note] = findings.collect(place).notes
    assert note.startswith("_context.json can't be read")


def test_a_fifo_or_a_directory_in_a_files_place_does_not_hold_the_worker_up(place: WorkDir) -> None:
    """Reading must neither wait nor raise."""
    os.mkfifo(place.alt_error)
    place.alt_msg.mkdir()

    found = findings.collect(place)

    assert (found.error, found.msg) == (None, ())
    assert len(found.notes) == 2


def test_a_huge_file_is_cut_or_left_out(place: WorkDir) -> None:
    """Text keeps its beginning, JSON can't be cut."""
    place.alt_error.write_text("x" * (findings.MAX_TEXT_BYTES + 1))
    (place.path / "pge_metrics.json").write_text(json.dumps({"download": ["x" * findings.MAX_JSON_BYTES]}))

    found = findings.collect(place)

    assert found.error is not None
    assert (len(found.error), found.metrics) == (findings.MAX_TEXT_BYTES, {})
    assert len(found.notes) == 2


def test_thousands_of_broken_files_make_a_few_notes(place: WorkDir) -> None:
    """Notes stand in the ledger until the job is forgotten: their number may not be the job's choice."""
    for number in range(findings.MAX_NOTES + 7):
        (place.path / f"{number}_pge_metrics.json").write_text("{")

    notes = findings.collect(place).notes

    assert (len(notes), notes[-1]) == (findings.MAX_NOTES + 1, "and 7 more of this kind")


def test_metrics_are_read_up_to_a_bound_over_all_files(place: WorkDir) -> None:
    """Twenty thousand files of a megabyte each would have filled the worker's memory, and ended all its jobs."""
    big = json.dumps({"download": ["x" * 900_000]})
    for number in range(12):
        (place.path / f"{number:02}_pge_metrics.json").write_text(big)

    found = findings.collect(place)

    assert sum(len(entry) for entry in found.metrics["inputs_localized"]) < findings.MAX_METRICS_BYTES
    assert found.notes == ("metrics of more than 8,388,608 bytes in all: the rest is left out",)
