"""Following files that grow, step by step."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.lib.process.tail import CHUNK_BYTES, LONGEST_PAUSE_S, SHORTEST_PAUSE_S, Chunk, Tail


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {"out": tmp_path / "out", "err": tmp_path / "err"}
    for path in made.values():
        path.touch()
    return made


def test_nothing_new_is_no_chunk(files: dict[str, Path]) -> None:
    """An empty file, and one that was read to its end."""
    with Tail(files) as tail:
        first = list(tail.read())
        _append(files["out"], b"x")
        second, third = list(tail.read()), list(tail.read())

    assert ([], [Chunk("out", 0, b"x")], []) == (first, second, third)


def test_a_full_stream_does_not_hold_up_the_other(files: dict[str, Path]) -> None:
    """They are read in turn, a chunk each."""
    _append(files["out"], b"o" * (2 * CHUNK_BYTES + 1))
    _append(files["err"], b"e")
    with Tail(files) as tail:
        chunks = [(chunk.stream, chunk.offset, len(chunk.data)) for chunk in tail.read()]

    assert chunks == [
        ("out", 0, CHUNK_BYTES),
        ("err", 0, 1),
        ("out", CHUNK_BYTES, CHUNK_BYTES),
        ("out", 2 * CHUNK_BYTES, 1),
    ]


def test_what_is_written_before_the_end_is_noticed_is_not_lost(files: dict[str, Path]) -> None:
    """The last look comes after the end."""

    def has_ended(timeout_s: float) -> bool:
        _append(files["out"], b"last words")
        return True

    with Tail(files) as tail:
        chunks = list(tail.follow(has_ended))

    assert [Chunk("out", 0, b"last words")] == chunks


def test_the_pause_grows_while_nothing_comes_and_shrinks_with_the_next_byte(files: dict[str, Path]) -> None:
    """From 10 ms, doubled up to 100 ms."""
    pauses: list[float] = []

    def has_ended(timeout_s: float) -> bool:
        pauses.append(timeout_s)
        if len(pauses) == 6:
            _append(files["err"], b"x")
        return len(pauses) == 8

    with Tail(files) as tail:
        list(tail.follow(has_ended))

    assert pauses == [0.01, 0.02, 0.04, 0.08, 0.1, 0.1, 0.01, 0.02]
    assert (min(pauses), max(pauses)) == (SHORTEST_PAUSE_S, LONGEST_PAUSE_S)


def test_a_file_that_is_emptied_is_followed_from_its_new_beginning(files: dict[str, Path]) -> None:
    """What a command writes after truncating its output is new."""
    with Tail(files) as tail:
        _append(files["out"], b"before")
        first = list(tail.read())
        files["out"].write_bytes(b"new")
        second = list(tail.read())

    assert ([Chunk("out", 0, b"before")], [Chunk("out", 0, b"new")]) == (first, second)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """And nothing stays open."""
    (tmp_path / "out").touch()

    with pytest.raises(FileNotFoundError):
        Tail({"out": tmp_path / "out", "err": tmp_path / "absent"})
