"""Work directories that can't be written, on a real file system that is really full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import required
from worlds.job_worker import Bench, make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        required.missing(f"a small tmpfs ({made.stderr.strip()})", "run the tests as root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def crowded(small_disk: Path) -> Iterator[Bench]:
    """A worker whose work directories lie on the small disk."""
    made = make(small_disk)
    yield made
    made.worker.close()
    made.ledger.close()


def fill(disk: Path) -> None:
    """Leave nothing free."""
    with open(disk / "ballast", "wb", buffering=0) as file:
        size = 1 << 16
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def test_a_full_disk_fails_the_attempt_before_the_command_starts(crowded: Bench, small_disk: Path) -> None:
    """The document says what was full; the job is tried again when its environment's budget says so."""
    fill(small_disk)
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
    fill(small_disk)
    crowded.run("true")
    (small_disk / "ballast").unlink()

    assert crowded.run("true")["status"] == "job-completed"
