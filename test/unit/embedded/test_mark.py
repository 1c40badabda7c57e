"""The mark that a system has not ended in order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hysds.embedded.home import Home
from hysds.embedded.warden import mark


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One that was prepared once."""
    found = Home(tmp_path / "home")
    os.close(found.prepare())
    return found


def test_a_mark_stands_until_who_made_it_removes_it(home: Home) -> None:
    """Without one nothing is said; with one, when the system wrote last: the newest of its files."""
    assert home.crashed_s() is None
    mark.put(str(home.mark), 7)
    log = home.log_of("worker")
    log.touch()
    os.utime(log, (4e9, 4e9))
    assert home.crashed_s() == 4e9
    mark.remove(str(home.mark), 7)

    assert home.crashed_s() is None
    assert not home.mark.exists()


def test_the_mark_of_another_system_is_left(home: Home) -> None:
    """One whose home was taken away must not take the word from the one that came after it."""
    mark.put(str(home.mark), 7)
    mark.put(str(home.mark), 8)
    mark.remove(str(home.mark), 7)

    assert mark.stands(str(home.mark))


@pytest.mark.parametrize("content", ["", "mine", "hysds-runs 1 x", "hysds-runs 2 7\n"])
def test_a_file_that_is_no_mark_says_nothing_and_stays(home: Home, content: str) -> None:
    """Neither overwritten nor removed."""
    home.mark.write_text(content)
    mark.put(str(home.mark), 7)
    mark.remove(str(home.mark), 7)

    assert home.crashed_s() is None
    assert home.mark.read_text() == content


def test_what_is_no_file_says_nothing(home: Home) -> None:
    """A link, a pipe that nobody writes to, a place that is not there."""
    home.mark.symlink_to(home.lock)
    assert home.crashed_s() is None
    home.mark.unlink()
    os.mkfifo(home.mark)
    mark.put(str(home.mark), 7)
    assert home.crashed_s() is None
    assert Home(home.path / "none").crashed_s() is None
