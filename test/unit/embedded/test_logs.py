"""Logs of bounded size that lose no line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hysds.embedded.warden.logs import LogFile, LogPipe
from hysds.embedded.warden.plan import Rotation


def _files(path: Path) -> list[bytes]:
    """The oldest first."""
    return [found.read_bytes() for found in sorted(path.parent.glob(f"{path.name}*"), reverse=True)]


def test_files_are_moved_on_at_the_end_of_a_line(tmp_path: Path) -> None:
    """However writes are cut, what is kept is whole lines, in order, without a gap, up to the newest."""
    path = tmp_path / "x.log"
    log = LogFile(str(path), Rotation(most_bytes=1_000, files=3))
    text = b"".join(b"line %d\n" % number for number in range(1_000))
    for start in range(0, len(text), 37):
        log.write(text[start : start + 37])
    files = _files(path)

    assert len(files) == 3
    assert text.endswith(b"".join(files))
    assert all(file.endswith(b"\n") and len(file) <= 1_100 for file in files)
    assert all(file.startswith(b"line ") for file in files)


def test_a_line_without_an_end_is_cut(tmp_path: Path) -> None:
    """What prints no newline fills no disk."""
    path = tmp_path / "x.log"
    log = LogFile(str(path), Rotation(most_bytes=1_000, files=2))
    for _ in range(100):
        log.write(b"x" * 100)

    assert sum(len(file) for file in _files(path)) <= 4_400
    assert len(_files(path)) == 2


def test_a_log_of_before_is_gone_on_with(tmp_path: Path) -> None:
    """A new start appends; the file is for nobody else to read."""
    path = tmp_path / "x.log"
    for word in (b"one\n", b"two\n"):
        LogFile(str(path), Rotation()).write(word)

    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_disk_loses_lines_and_says_how_much(tmp_path: Path) -> None:
    """Nothing waits and nothing fails; when there is room again, the gap stands in the log."""
    path = tmp_path / "x.log"
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="symbolic"):
        LogFile(str(path), Rotation())
    path.unlink()
    log = LogFile(str(path), Rotation())
    full = os.open("/dev/full", os.O_WRONLY)
    kept = os.dup(log.fd)
    os.dup2(full, log.fd)
    log.write(b"lost\n")
    os.dup2(kept, log.fd)
    log.write(b"there\n")
    for fd in (full, kept):
        os.close(fd)

    assert path.read_bytes() == b"\n5 bytes of this log found no room on the disk\nthere\n"


def test_a_name_that_can_not_be_moved_on_keeps_the_log_whole(tmp_path: Path) -> None:
    """A directory stands where the older file would lie: the log grows, and loses nothing."""
    path = tmp_path / "x.log"
    (tmp_path / "x.log.1").mkdir()
    (tmp_path / "x.log.1" / "of somebody").touch()
    log = LogFile(str(path), Rotation(most_bytes=10, files=2))
    for number in range(10):
        log.write(b"line %d\n" % number)

    assert path.read_bytes() == b"".join(b"line %d\n" % number for number in range(10))


def test_a_descriptor_that_stands_for_the_log_follows_it(tmp_path: Path) -> None:
    """What the interpreter itself prints goes to the newest file too."""
    path = tmp_path / "x.log"
    other = os.open(os.devnull, os.O_WRONLY)
    log = LogFile(str(path), Rotation(most_bytes=10, files=2), stands_for=(other,))
    log.write(b"0123456789\n")
    log.write(b"moved on\n")
    log.write(b"newest\n")
    os.write(other, b"beside\n")
    os.close(other)

    assert path.read_bytes() == b"newest\nbeside\n"


def test_a_pipe_outlives_its_writers(tmp_path: Path) -> None:
    """One life ends and closes it, the next goes on: all that both wrote is there."""
    log = LogPipe(str(tmp_path / "x.log"), Rotation())
    for word in (b"first\n", b"second\n"):
        writer = os.dup(log.writes)
        os.write(writer, word)
        os.close(writer)
        log.empty()
    log.empty()
    for fd in (log.reads, log.writes):
        os.close(fd)

    assert (tmp_path / "x.log").read_bytes() == b"first\nsecond\n"
