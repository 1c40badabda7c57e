"""The output of running commands, followed while they write it."""

from __future__ import annotations

import os
import resource
import sys
import tracemalloc

from hysds.lib.process.child import Child
from hysds.lib.process.tail import CHUNK_BYTES, Chunk, Tail
from integration.process.guarded import Place


def _follow(place: Place, child: Child) -> list[Chunk]:
    with Tail({"out": place.stdout, "err": place.stderr}) as tail:
        return list(tail.follow(lambda timeout_s: child.wait(timeout_s) is not None))


def test_both_streams_are_followed_to_their_end(place: Place) -> None:
    """Each in order and whole, bytes as they were written."""
    child = place.start(["sh", "-c", r"printf 'a\377\n'; printf 'b' >&2; printf 'c\n'; printf 'd' >&2"])
    chunks = _follow(place, child)

    assert b"".join(chunk.data for chunk in chunks if chunk.stream == "out") == b"a\xff\nc\n"
    assert b"".join(chunk.data for chunk in chunks if chunk.stream == "err") == b"bd"


def test_output_is_seen_while_the_command_still_runs(place: Place) -> None:
    """The command goes on only after its first line was seen."""
    os.mkfifo(place.folder / "go")
    child = place.start(["sh", "-c", "echo first; cat go; echo last"])
    seen = b""
    with Tail({"out": place.stdout}) as tail:
        for chunk in tail.follow(lambda timeout_s: child.wait(timeout_s) is not None):
            if not seen:
                assert child.wait(0) is None
                (place.folder / "go").write_text("")
            seen += chunk.data

    assert seen == b"first\nlast\n"


def test_a_million_lines_arrive_whole_in_few_chunks(place: Place) -> None:
    """Chunks, not lines, are what following costs."""
    child = place.start(["seq", "1000000"])
    chunks = _follow(place, child)

    assert len(chunks) < 2000
    assert b"".join(chunk.data for chunk in chunks) == b"".join(b"%d\n" % n for n in range(1, 1_000_001))


def test_a_line_of_a_gigabyte_takes_bounded_memory(place: Place) -> None:
    """Following never holds more than a chunk of each stream. The file is sparse: a hole reads as bytes."""
    script = "import os; os.ftruncate(1, 1 << 30); os.lseek(1, 0, 2); os.write(1, b'\\n')"
    child = place.start([sys.executable, "-c", script])
    size, longest = 0, 0
    tracemalloc.start()
    with Tail({"out": place.stdout}) as tail:
        for chunk in tail.follow(lambda timeout_s: child.wait(timeout_s) is not None):
            size += len(chunk.data)
            longest = max(longest, len(chunk.data))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert size == (1 << 30) + 1
    assert longest <= CHUNK_BYTES
    assert peak_bytes < 20 * CHUNK_BYTES


def test_a_command_that_deletes_its_output_file_is_followed_all_the_same(place: Place) -> None:
    """The follower holds the file open."""
    os.mkfifo(place.folder / "go")
    child = place.start(["sh", "-c", "cat go; rm out; echo after"])
    with Tail({"out": place.stdout}) as tail:
        (place.folder / "go").write_text("")
        chunks = list(tail.follow(lambda timeout_s: child.wait(timeout_s) is not None))

    assert b"".join(chunk.data for chunk in chunks) == b"after\n"


def test_following_leaves_no_descriptor_open(place: Place) -> None:
    """Also when the reader gives up half way."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    before = os.listdir("/proc/self/fd")
    for _ in range(20):
        place.run(["echo", "text"])
        with Tail({"out": place.stdout, "err": place.stderr}) as tail:
            next(tail.follow(lambda timeout_s: True))

    assert len(before) == len(os.listdir("/proc/self/fd")) < soft
