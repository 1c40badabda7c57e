"""A job's output on our own streams."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path

import pytest

from hysds.cli import live
from hysds.cli.live import Machines, People, Screen
from hysds.ports.logs import NOTE, Chunk
from hysds.sdk.following import Began, Missed, Output, Over, Quiet, Seen

_BYTES = b"\xff\xfe\x00 not UTF-8 \x1b[31m"


def _screen() -> tuple[Screen, io.BytesIO, io.BytesIO]:
    out, err = io.BytesIO(), io.BytesIO()
    return Screen(out, err), out, err


def test_bytes_go_through_as_they_are_each_stream_to_its_own() -> None:
    """Output is nobody's text: no decoding, no added byte."""
    screen, out, err = _screen()
    screen.show("stdout", _BYTES)
    screen.show("stderr", b"oh")
    screen.show("stdout", b"more")

    assert out.getvalue() == _BYTES + b"more"
    assert err.getvalue() == b"oh"


def test_a_line_of_ours_begins_a_line() -> None:
    """A job that ends without a newline does not swallow the line that holds its id and status."""
    screen, out, err = _screen()
    screen.show("stdout", b"no newline")
    screen.conclude("id job-completed")

    assert out.getvalue() == b"no newline\nid job-completed\n"
    assert err.getvalue() == b""


def test_output_that_ends_a_line_gets_no_empty_one() -> None:
    """Only what is missing is added."""
    screen, out, _ = _screen()
    screen.show("stdout", b"whole\n")
    screen.conclude("id job-completed")

    assert out.getvalue() == b"whole\nid job-completed\n"


def test_a_note_is_a_clean_line_on_stderr() -> None:
    """What HySDS itself says is not mixed with what the job printed."""
    screen, out, err = _screen()
    screen.show(NOTE, b"progress: 0.5 half\x1b[2J\n")

    assert out.getvalue() == b""
    assert err.getvalue() == b"note: progress: 0.5 half\\x1b[2J\n"


class _ClosedPipe(io.BytesIO):
    def flush(self) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


class _FullDisk(io.BytesIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_reader_that_leaves_ends_a_watcher() -> None:
    """Nobody reads: there is nothing to watch for."""
    with pytest.raises(BrokenPipeError):
        Screen(_ClosedPipe(), io.BytesIO()).show("stdout", b"a")


def test_a_reader_that_leaves_does_not_end_a_run() -> None:
    """The job goes on to its end, and the other stream is still served."""
    err = io.BytesIO()
    screen = Screen(_ClosedPipe(), err, outlives_readers=True)
    screen.show("stdout", b"a")
    screen.show("stdout", b"b")
    screen.show("stderr", b"c")

    assert err.getvalue() == b"c"


def test_a_run_goes_on_when_its_output_has_no_place_and_says_so_once() -> None:
    """Output that goes to a full disk is lost there and not in the job's files."""
    err = io.BytesIO()
    screen = Screen(_FullDisk(), err, outlives_readers=True)
    screen.show("stdout", b"a")
    screen.show("stdout", b"b")

    assert err.getvalue().decode().count("No space left on device; the job's files have it") == 1


def test_people_are_told_how_much_they_missed_and_where_it_is() -> None:
    """A follower that fell behind learns the size of the gap and the place of the whole."""
    screen, _, err = _screen()
    people = People(screen, says_all=True)
    for seen in (Began(7, "w@host/ab12", "jobs/2030/x.f7"), Missed(7, 3_000_000), Quiet(), Over(7)):
        people(seen)
    text = err.getvalue().decode()

    assert "attempt 1 runs on w@host\n" in text
    assert "missed 3 MB" in text
    assert "jobs/2030/x.f7 below the work_dir of w@host" in text


def test_machines_get_bytes_that_are_no_text_in_base64(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line; nothing is lost whatever the bytes are."""
    machines = Machines()
    all_seen: list[Seen] = [
        Began(7, "w/1", "jobs/x"),
        Output(7, Chunk("stdout", 0, "größe\n".encode())),
        Output(7, Chunk("stderr", 5, b"\xff")),
        Missed(7, 9),
    ]

    assert live.pass_on(all_seen, machines) is True
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {"fence": 7, "worker": "w/1", "files": "jobs/x"},
        {"fence": 7, "stream": "stdout", "offset": 0, "text": "größe\n"},
        {"fence": 7, "stream": "stderr", "offset": 5, "base64": "/w=="},
        {"fence": 7, "missed_bytes": 9},
    ]


def test_an_attempt_without_output_leaves_no_trace() -> None:
    """Only output, or output that is missing, counts as something that was shown."""
    assert live.pass_on([Began(7, "w", "x"), Quiet(), Over(7)], lambda seen: None) is False


def test_files_of_an_ended_job_are_shown_where_they_are_on_this_host(tmp_path: Path) -> None:
    """Both files go to their streams, byte for byte."""
    directory = tmp_path / "abc.f7"
    directory.mkdir()
    (directory / "_stdout.txt").write_bytes(_BYTES)
    (directory / "_stderr.txt").write_bytes(b"oh\n")
    screen, out, err = _screen()

    found = live.from_files({"id": "abc", "attempts": [{"fence": 7, "job_dir": str(directory)}]}, screen)

    assert found == sum(len(path.read_bytes()) for path in directory.iterdir())
    assert out.getvalue() == _BYTES
    assert err.getvalue() == b"oh\n"


def test_a_directory_of_another_job_is_not_read(tmp_path: Path) -> None:
    """A document that names a foreign directory is not believed."""
    directory = tmp_path / "other.f7"
    directory.mkdir()
    screen, _, _ = _screen()

    found = live.from_files({"id": "abc", "attempts": [{"fence": 7, "job_dir": str(directory)}]}, screen)

    assert found is None
    assert live.from_files({"id": "abc"}, screen) is None
