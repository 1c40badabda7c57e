"""A home on a disk that is full: what is said, and what is left when there is room again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.embedded.home import Home
from services.disks import fill, small_disk

_PAGE_BYTES = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system for the home."""
    with small_disk(tmp_path / "disk", "8m") as made:
        yield made


def test_a_home_that_finds_no_room_is_taken_when_there_is_some(disk: Path) -> None:
    """One page more of room at a time: what the tries before left half done is in nobody's way."""
    home = Home(disk / "home")
    ballast = fill(disk)
    named: set[str] = set()
    while True:
        try:
            os.close(home.prepare(patience_s=0))
        except OSError as error:
            named.add(str(error.filename))
            os.truncate(ballast, ballast.stat().st_size - _PAGE_BYTES)
        else:
            break

    assert named
    assert all(name.startswith(str(disk)) for name in named)
    os.close(home.prepare(patience_s=0))


def test_a_system_on_a_full_disk_says_so_and_starts_when_there_is_room(disk: Path) -> None:
    """The message names the home's disk and what to do; nothing runs then."""
    spec = disk.parent / "job.json"
    spec.write_text('{"job_type": "job:x", "payload": {"_command": "echo done"}}')
    environment = os.environ | {"HYSDS_HOME": str(disk / "home"), "HYSDS_CONFIG": ""}

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hysds", "run", str(spec)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    ballast = fill(disk)
    refused = run()
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    assert "No space left on device" in refused.stderr
    assert str(disk) in refused.stderr

    ballast.unlink()
    again = run()
    assert again.returncode == 0, again.stderr
    assert "done" in again.stdout
