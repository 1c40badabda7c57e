"""What live logs do, wherever they are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hysds.core.errors import Refused
from hysds.ports.logs import Chunk, Heard, Logs
from hysds.settings import model

JOB = "01890000-0000-7000-8000-000000000001"
OTHER = "01890000-0000-7000-8000-000000000002"
KB = 1024


class Follower:
    """Reads a log from its beginning and remembers what it was told."""

    def __init__(self, logs: Logs, id: str = JOB, fence: int = 1) -> None:
        self._logs = logs
        self._log = (id, fence)
        self.position = ""
        self.missed_bytes = 0
        self.ended = False
        self.chunks: list[Chunk] = []

    def read(self, limit: int = 100, timeout_s: float = 0) -> Heard:
        heard = self._logs.read(*self._log, self.position, limit, timeout_s)
        self.position = heard.position
        self.missed_bytes += heard.missed_bytes
        self.ended = heard.ended
        self.chunks += heard.chunks
        return heard

    def catch_up(self) -> Follower:
        """Read until nothing comes."""
        while self.read().chunks:
            continue
        return self

    def to_the_end(self) -> Follower:
        """Read until the end is told."""
        while not self.ended:
            self.read(timeout_s=30)
        return self

    def text(self, stream: str = "stdout") -> bytes:
        return b"".join(chunk.data for chunk in self.chunks if chunk.stream == stream)


def _out(data: bytes, offset: int = 0) -> Chunk:
    return Chunk("stdout", offset, data)


def _fill(logs: Logs, id: str, count: int, size_bytes: int, fence: int = 1) -> list[int]:
    """So many appends of one chunk of that size; what each answered."""
    data = b"x" * size_bytes
    return [logs.append(id, fence, [_out(data, at * size_bytes)]) for at in range(count)]


def test_output_is_read_as_it_was_written(logs: Logs) -> None:
    """Chunks come in the order of their appends, both streams between each other, bytes and offsets unchanged."""
    written = [_out(b"one\n"), Chunk("stderr", 0, b"\xff\xfe\x00 no text\r\n"), _out("zwei ä\n".encode(), 4)]
    assert logs.append(JOB, 1, written[:2]) == 0
    assert logs.append(JOB, 1, written[2:]) == 0

    assert Follower(logs).read().chunks == tuple(written)


def test_a_follower_goes_on_where_it_was(logs: Logs) -> None:
    """Each read answers only what is behind the position, at most as many chunks as asked."""
    follower = Follower(logs)
    logs.append(JOB, 1, [_out(b"a"), _out(b"b", 1), _out(b"c", 2)])

    assert [[chunk.data for chunk in follower.read(limit=2).chunks] for _ in range(3)] == [
        [b"a", b"b"],
        [b"c"],
        [],
    ]
    assert not follower.ended


def test_the_end_is_told_behind_the_last_chunk(logs: Logs) -> None:
    """A finished log says so with its last chunks, and again to whoever asks behind the end, at once."""
    logs.append(JOB, 1, [_out(b"last")])
    logs.finish(JOB, 1)
    follower = Follower(logs).to_the_end()

    assert (follower.text(), follower.missed_bytes) == (b"last", 0)
    assert follower.read(timeout_s=3600) == Heard((), follower.position, 0, True)


def test_a_log_that_got_nothing_can_be_finished(logs: Logs) -> None:
    """Its follower is told the end, and nothing else; appending nothing is nothing."""
    logs.finish(JOB, 1)

    assert Follower(logs).read() == Heard((), "end", 0, True)
    logs.append(JOB, 1, [])
    assert logs.held_bytes() == 512 + 64


def test_finishing_twice_changes_nothing(logs: Logs, clock: Any) -> None:
    """The second end is not seen, and the retention does not begin anew."""
    logs.append(JOB, 1, [_out(b"x")])
    logs.finish(JOB, 1)
    held = logs.held_bytes()
    clock.move(3500)
    logs.finish(JOB, 1)

    assert logs.held_bytes() == held
    clock.move(101)
    logs.finish(OTHER, 1)
    assert Follower(logs).read() == Heard((), "0-0", 0, False)


def test_nothing_is_added_to_a_finished_log(logs: Logs) -> None:
    """What comes after the end is answered as dropped."""
    logs.append(JOB, 1, [_out(b"x")])
    logs.finish(JOB, 1)

    assert logs.append(JOB, 1, [_out(b"late", 1)]) == 4
    assert Follower(logs).to_the_end().text() == b"x"


def test_attempts_of_one_job_have_logs_of_their_own(logs: Logs) -> None:
    """What a zombie still writes under its old fence is never seen in its successor's log."""
    logs.append(JOB, 1, [_out(b"first")])
    logs.append(JOB, 2, [_out(b"second")])
    logs.append(JOB, 1, [_out(b" zombie", 5)])
    logs.finish(JOB, 1)

    follower = Follower(logs, fence=2).catch_up()

    assert (follower.text(), follower.ended) == (b"second", False)


def test_a_follower_that_waits_hears_what_comes(logs: Logs) -> None:
    """A read that found nothing answers when output comes, and the next when the log is finished."""
    with ThreadPoolExecutor(1) as pool:
        follower = Follower(logs)
        reading = pool.submit(follower.read, timeout_s=60)
        logs.append(JOB, 1, [_out(b"now")])
        assert [chunk.data for chunk in reading.result(60).chunks] == [b"now"]
        reading = pool.submit(follower.read, timeout_s=60)
        logs.finish(JOB, 1)

        assert reading.result(60).ended


def test_a_log_that_nobody_knows_reads_as_an_empty_one(logs: Logs) -> None:
    """Nothing comes within the timeout, nothing was missed, and it has not ended."""
    assert logs.read(JOB, 1, "", 10, 0.01) == Heard((), "0-0", 0, False)


@pytest.mark.parametrize("position", ["x", "1", "0-0 stdout", "0-0 stdout=-1", "0-0\n", "9" * 300 + "-1"])
def test_a_position_that_no_read_gave_is_refused(logs: Logs, position: str) -> None:
    """A mistyped position is an error, not an empty log."""
    with pytest.raises(Refused, match="no position"):
        logs.read(JOB, 1, position, 10, 0)


def test_only_the_newest_of_a_log_is_kept_and_the_rest_told_as_missed(
    make_logs: Callable[[model.Logs], Logs],
) -> None:
    """A late follower gets the newest bytes, not less than the bound but for one piece, and the exact gap before."""
    logs = make_logs(model.Logs(per_job_bytes=256 * KB))
    assert set(_fill(logs, JOB, 100, 10 * KB)) == {0}
    follower = Follower(logs).catch_up()

    kept = len(follower.text())
    assert follower.missed_bytes == 1000 * KB - kept
    assert 256 * KB - 11 * KB - 26 * 64 <= kept <= 256 * KB
    assert logs.held_bytes() <= 256 * KB + 512


def test_a_follower_that_falls_behind_is_told_how_much_it_missed(
    make_logs: Callable[[model.Logs], Logs],
) -> None:
    """What it read and what it was told to have missed add up to all that was written; the gap stands in its place."""
    logs = make_logs(model.Logs(per_job_bytes=64 * KB))
    follower = Follower(logs)
    logs.append(JOB, 1, [_out(b"a" * 1000)])
    follower.read()
    data = b"b" * 5000
    for at in range(50):
        logs.append(JOB, 1, [_out(data, 1000 + at * 5000)])
    heard = follower.read()
    follower.catch_up()

    assert heard.missed_bytes == heard.chunks[0].offset - 1000 > 0
    assert len(follower.text()) + follower.missed_bytes == 1000 + 50 * 5000


def test_output_that_never_arrived_shows_as_missed(logs: Logs) -> None:
    """A writer that could not reach the log leaves a gap between offsets; the read before it ends there."""
    follower = Follower(logs)
    logs.append(JOB, 1, [_out(b"abc"), _out(b"xyz", 1003)])

    assert (follower.read().chunks, follower.missed_bytes) == ((_out(b"abc"),), 0)
    assert (follower.read().chunks, follower.missed_bytes) == ((_out(b"xyz", 1003),), 1000)


def test_a_file_that_its_writer_cut_has_no_gap(logs: Logs) -> None:
    """When a command truncates its own output the offsets begin anew, and nothing counts as missed."""
    logs.append(JOB, 1, [_out(b"a" * 100), _out(b"new"), _out(b"er", 3)])
    follower = Follower(logs).catch_up()

    assert (follower.text(), follower.missed_bytes) == (b"a" * 100 + b"newer", 0)


def test_notes_are_counted_by_the_log_itself(make_logs: Callable[[model.Logs], Logs]) -> None:
    """What HySDS says has no file: whatever offset the writer gives, notes follow each other, and lost ones show."""
    logs = make_logs(model.Logs(per_job_bytes=64 * KB))
    follower = Follower(logs)
    logs.append(JOB, 1, [Chunk("note", 0, b"one"), Chunk("note", 77, b"two")])

    assert follower.read().chunks == (Chunk("note", 0, b"one"), Chunk("note", 3, b"two"))
    assert Follower(logs).catch_up().missed_bytes == 0
    _fill(logs, JOB, 20, 10 * KB)
    logs.append(JOB, 1, [Chunk("note", 0, b"three")])
    assert Follower(logs).catch_up().missed_bytes == 200 * KB - 60 * KB + 6


def test_one_line_of_40_megabytes_comes_whole_to_a_follower_that_keeps_up(logs: Logs) -> None:
    """Streamed in 64 KB chunks, read while it is written: every byte in order, nothing missed, not 16 MB kept."""
    piece = bytes(range(256)) * 256
    count = 40 * 2**20 // len(piece)
    follower = Follower(logs)
    for at in range(count):
        logs.append(JOB, 1, [_out(piece, at * len(piece))])
        if at % 50 == 0:
            follower.catch_up()
    logs.finish(JOB, 1)
    follower.to_the_end()

    assert follower.missed_bytes == 0
    assert follower.text() == piece * count
    assert logs.held_bytes() <= 16 * 10**6 + 1024


def test_one_append_of_40_megabytes_keeps_the_newest(logs: Logs) -> None:
    """A chunk larger than the bound is cut: its end is kept in pieces, the beginning told as missed."""
    data = bytes(range(256)) * (40 * 2**12)
    assert logs.append(JOB, 1, [_out(data)]) == 0
    logs.finish(JOB, 1)
    follower = Follower(logs).to_the_end()

    assert max(len(chunk.data) for chunk in follower.chunks) == 65536
    assert follower.missed_bytes + len(follower.text()) == len(data)
    assert data.endswith(follower.text())
    assert 15_800_000 < len(follower.text()) <= 16_000_000


def test_a_million_lines_come_to_a_follower_that_keeps_up(logs: Logs) -> None:
    """10^6 lines in the chunks of a tail, read at the same time by another thread: each line once, in order."""
    text = b"".join(b"%d\n" % number for number in range(10**6))
    follower = Follower(logs)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(follower.to_the_end)
        for start in range(0, len(text), 65536):
            logs.append(JOB, 1, [_out(text[start : start + 65536], start)])
        logs.finish(JOB, 1)
        reading.result(120)

    assert follower.missed_bytes == 0
    assert follower.text() == text


def test_all_logs_together_stay_within_their_bound(make_logs: Callable[[model.Logs], Logs]) -> None:
    """However many jobs write, the sum stays below the bound, and each still has some of its newest output."""
    logs = make_logs(model.Logs(per_job_bytes=256 * KB, memory_bytes=1024 * KB))
    ids = [f"01890000-0000-7000-8000-0000000001{number:02}" for number in range(10)]
    for at in range(60):
        for id in ids:
            assert logs.append(id, 1, [_out(b"y" * 5000, at * 5000)]) == 0
            assert logs.held_bytes() <= 1024 * KB

    for follower in [Follower(logs, id).catch_up() for id in ids]:
        assert len(follower.text()) >= 50_000
        assert len(follower.text()) + follower.missed_bytes == 60 * 5000


def test_ended_logs_make_room_before_any_running_one_loses_output(
    make_logs: Callable[[model.Logs], Logs], clock: Any
) -> None:
    """The one that ended longest ago goes first, and only as many as are needed."""
    logs = make_logs(model.Logs(per_job_bytes=256 * KB, memory_bytes=1024 * KB))
    running, first, second, new = (f"01890000-0000-7000-8000-00000000010{number}" for number in range(4))
    _fill(logs, running, 6, 40 * KB)
    for ended in (second, first):
        _fill(logs, ended, 6, 40 * KB)
    logs.finish(first, 1)
    clock.move(1)
    logs.finish(second, 1)
    _fill(logs, new, 8, 40 * KB)

    kept = {id: len(Follower(logs, id).catch_up().text()) for id in (running, first, second)}
    assert kept == {running: 240 * KB, first: 240 * KB, second: 240 * KB}
    _fill(logs, OTHER, 6, 40 * KB)
    kept = {id: len(Follower(logs, id).catch_up().text()) for id in (running, first, second)}
    assert kept == {running: 240 * KB, first: 0, second: 240 * KB}


def test_an_ended_log_goes_after_its_retention_and_the_sum_with_it(
    make_logs: Callable[[model.Logs], Logs], clock: Any
) -> None:
    """One second before, all is there; after it the log is gone and the sum is what the others take."""
    logs = make_logs(model.Logs(retention_s=100))
    logs.append(OTHER, 1, [_out(b"runs")])
    others = logs.held_bytes()
    _fill(logs, JOB, 10, 1000)
    logs.finish(JOB, 1)
    clock.move(99)
    logs.append(OTHER, 1, [_out(b".", 4)])
    assert len(Follower(logs).to_the_end().text()) == 10_000
    clock.move(1)
    logs.append(OTHER, 1, [_out(b".", 5)])

    assert Follower(logs).read() == Heard((), "0-0", 0, False)
    assert logs.held_bytes() == others + 2 * 65


def test_a_log_whose_worker_died_goes_too(make_logs: Callable[[model.Logs], Logs], clock: Any) -> None:
    """An attempt that never finishes keeps its log for a day and a retention after its last output, no longer."""
    logs = make_logs(model.Logs(retention_s=100))
    _fill(logs, JOB, 10, 1000)
    clock.move(86_400 + 99)
    logs.append(OTHER, 1, [_out(b"runs")])
    assert len(Follower(logs).catch_up().text()) == 10_000
    clock.move(1)
    logs.append(OTHER, 1, [_out(b".", 4)])

    assert Follower(logs).read().chunks == ()
    assert logs.held_bytes() == 512 + 64 + 4 + 65


def test_output_after_a_days_silence_goes_on_with_its_gap(
    make_logs: Callable[[model.Logs], Logs], clock: Any
) -> None:
    """A silent job's old log went; what it writes then begins a new one, and followers see what is missing."""
    logs = make_logs(model.Logs(retention_s=100))
    follower = Follower(logs)
    logs.append(JOB, 1, [_out(b"old")])
    clock.move(90_000)
    logs.append(JOB, 1, [_out(b"new", 3)])

    assert follower.catch_up().text() == b"new"
    assert follower.missed_bytes == 3


def test_writers_and_followers_of_many_jobs_do_not_disturb_each_other(logs: Logs) -> None:
    """Eight jobs written and followed at once: each follower gets its own job's output, whole."""
    ids = [f"01890000-0000-7000-8000-00000000020{number}" for number in range(8)]
    texts = {id: b"".join(b"%s line %d\n" % (id.encode(), number) for number in range(500)) for id in ids}
    begin = threading.Barrier(len(ids))

    def write(id: str) -> None:
        begin.wait()
        for start in range(0, len(texts[id]), 700):
            logs.append(id, 7, [_out(texts[id][start : start + 700], start)])
        logs.finish(id, 7)

    with ThreadPoolExecutor(16) as pool:
        followers = {id: pool.submit(Follower(logs, id, 7).to_the_end) for id in ids}
        for writing in [pool.submit(write, id) for id in ids]:
            writing.result(60)
        heard = {id: following.result(60).text() for id, following in followers.items()}

    assert heard == texts
