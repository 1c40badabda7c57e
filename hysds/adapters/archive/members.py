"""What a segment is: gzip members one after the other, each some lines of JSON, a document a line.

So `zcat *.jsonl.gz` reads an archive. Each append adds whole members; one that was not finished, as its writer died, is
of documents that nobody was told are kept. A member that can't be read hides none behind it.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hysds.ports.store import Document

ENDING = ".jsonl.gz"
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6
_MEMBER_BYTES = 4_000_000
"""Of JSON: a reader holds so much at once, or one document."""
_STEP = 65_536
_MAGIC = b"\x1f\x8b\x08"


class Names:
    """Of one process's segments: they sort by when they were begun, whatever the clock does."""

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._last_ms = 0

    def next(self) -> str:
        """The name of another segment; no other process has it."""
        self._last_ms = max(self._wall_ms(), self._last_ms + 1)
        return f"{self._last_ms:013}-{os.urandom(4).hex()}{ENDING}"


def packed(documents: Sequence[Document]) -> bytes:
    """The members of these documents."""
    made: list[bytes] = []
    lines: list[bytes] = []
    size = 0
    for document in documents:
        line = json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode()
        if lines and size + len(line) > _MEMBER_BYTES:
            made.append(_member(lines))
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    return b"".join((*made, _member(lines))) if lines else b""


def _member(lines: Sequence[bytes]) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(b"\n".join((*lines, b""))) + packer.flush()


def unpacked(data: bytes, where: str, note: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """The documents of a segment; `where` names it in what `note` is told."""
    begin = 0
    while begin < len(data):
        lines, end = _read(data, begin)
        if lines is None:
            behind = data.find(_MAGIC, begin + 1)
            what = "ends in a part that was never finished" if behind < 0 else "can't be read"
            note(f"{where} {what}, at byte {begin:,}")
            begin = behind if behind > 0 else len(data)
            continue
        yield from _documents(lines, f"{where}, at byte {begin:,}", note)
        begin = end


def _read(data: bytes, begin: int) -> tuple[bytes | None, int]:
    """The lines of the member that begins there and where it ends; None where none can be read."""
    unpacker = zlib.decompressobj(_GZIP)
    parts, at, view = [], begin, memoryview(data)
    try:
        while not unpacker.eof and at < len(data):
            parts.append(unpacker.decompress(view[at : at + _STEP]))
            at = min(at + _STEP, len(data))
    except zlib.error:
        return None, begin
    if not unpacker.eof:
        return None, begin
    return b"".join(parts), at - len(unpacker.unused_data)


def _documents(lines: bytes, where: str, note: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    for line in lines.splitlines():
        try:
            document = json.loads(line)
        except ValueError:
            document = None
        if _is_one(document):
            yield document
        else:
            note(f"{where}: a line is no document: {line[:60]!r}")


def _is_one(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and isinstance(document.get("id"), str)
        and type(document.get("revision")) is int
    )
