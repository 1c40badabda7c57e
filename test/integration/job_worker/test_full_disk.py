"""Work directories that can't be written, on a real file system that is really full."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import disks
from worlds.job_worker import Bench, make

_PAGE_BYTES = 4096
_WRITTEN = (".running", "_context.json", "_job.json", "_run.sh")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    with disks.small_disk(tmp_path / "disk", "1m") as made:
        yield made


@pytest.fixture
def crowded(small_disk: Path) -> Iterator[Bench]:
    """A worker whose work directories lie on the small disk."""
    made = make(small_disk)
    yield made
    made.worker.close()
    made.ledger.close()


def test_a_full_disk_fails_the_attempt_before_the_command_starts(crowded: Bench, small_disk: Path) -> None:
    """The document says what was full; the job is tried again when its environment's budget says so."""
    disks.fill(small_disk)
    found = crowded.run("true")

    assert found["status"] == "job-waiting"
    [attempt] = found["attempts"]
    assert attempt["failure"] == "environment"
    assert "No space left" in attempt["error"]
    assert "exit_code" not in attempt


def test_a_job_that_fills_the_disk_is_told_by_its_own_exit_code(crowded: Bench, small_disk: Path) -> None:
    """Its end is recorded in the ledger; that it could not be marked on the disk is a note."""
    found = crowded.run("sh -c 'dd if=/dev/zero of=ballast bs=4k 2>/dev/null; exit 7'")

    assert (found["status"], found["failure_class"]) == ("job-failed", "user")
    assert found["job"]["job_info"]["status"] == 7


def test_the_next_job_runs_when_there_is_room_again(crowded: Bench, small_disk: Path) -> None:
    """Nothing half-made stays in its way."""
    disks.fill(small_disk)
    crowded.run("true")
    (small_disk / "ballast").unlink()

    assert crowded.run("true")["status"] == "job-completed"


def test_whichever_file_finds_no_room_is_named_and_none_stays_in_part(
    crowded: Bench, small_disk: Path
) -> None:
    """One page more of room at a time, until the job runs: the error names the file, the hint says what to do."""
    ballast = disks.fill(small_disk)
    named: list[str] = []
    while (found := crowded.run("true", enable_dedup=False))["status"] != "job-completed":
        [attempt] = found["attempts"]
        assert (attempt["failure"], attempt["hint"]) == (
            "environment",
            "the disk is full: free some of it, or ask for resources.disk",
        )
        named.append(attempt["error"].rpartition("/")[2].rstrip(")"))
        made = {path.name: path.stat().st_size for path in crowded.directory(found).iterdir()}
        assert named[-1] not in made
        assert all(size for name, size in made.items() if name in _WRITTEN)
        shutil.rmtree(crowded.directory(found))
        os.truncate(ballast, ballast.stat().st_size - _PAGE_BYTES)

    assert set(_WRITTEN) <= set(named)
