"""What a segment file of the spill looks like: a line that says whose it is, then one frame a portion.

A frame is a head (magic, length, CRC-32, how many documents, wall ms) and zlib-compressed lines: one JSON text a
document, or a list for a letter. A frame that was not finished can only be the last: its writer died, nothing of it
was confirmed, and it is passed over. Anything else that can't be read is damage.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import astuple, dataclass
from enum import Enum

from hysds.ports.spill import Portion
from hysds.ports.store import DeadLetter

_MAGIC = b"HySp"
_HEAD = struct.Struct(">4sIIIQ")
_FIRST = "hysds-spill 1 "
_LONGEST_FIRST = 4_096
_LEVEL = 1
"""Documents are much alike: the fastest level makes a fifth of them."""


class End(Enum):
    """Why there is no portion at a place."""

    CLEAN = "the end"
    TORN = "a portion that was never finished"
    DAMAGED = "what can't be read"


@dataclass(frozen=True, slots=True)
class Frame:
    """One portion in a file. `begin` and `end`: its bytes; `count`: its documents; `at_ms`: when it was appended."""

    begin: int
    end: int
    crc: int
    count: int
    at_ms: int


def first_line(of: str) -> bytes:
    """The beginning of a file; `of` says whose documents they are, on one line."""
    return f"{_FIRST}{json.dumps(of)}\n".encode()


def owner(fd: int) -> tuple[str, int] | End:
    """Whose documents they are, and where the first frame begins."""
    start = os.pread(fd, _LONGEST_FIRST, 0)
    line, newline, _ = start.partition(b"\n")
    if not newline:
        return End.TORN if len(start) < _LONGEST_FIRST and _is_begun(start) else End.DAMAGED
    try:
        of = json.loads(line.decode().removeprefix(_FIRST))
    except ValueError:
        return End.DAMAGED
    return (of, len(line) + 1) if line.startswith(_FIRST.encode()) and isinstance(of, str) else End.DAMAGED


def packed(portion: Portion, at_ms: int) -> bytes:
    """The frame of a portion."""
    lines = [*portion.documents, *(json.dumps(astuple(letter)) for letter in portion.letters)]
    body = zlib.compress("\n".join(lines).encode(), _LEVEL)
    return _HEAD.pack(_MAGIC, len(body), zlib.crc32(body), len(lines), at_ms) + body


def frame_at(fd: int, place: int) -> Frame | End:
    """The frame that begins here; its body is not looked at."""
    size = os.fstat(fd).st_size
    if place == size:
        return End.CLEAN
    head = os.pread(fd, _HEAD.size, place)
    if len(head) < _HEAD.size:
        return End.TORN
    magic, length, crc, count, at_ms = _HEAD.unpack(head)
    if magic != _MAGIC:
        return End.TORN if _is_blank(fd, place, size) else End.DAMAGED
    begin = place + _HEAD.size
    return Frame(begin, begin + length, crc, count, at_ms) if begin + length <= size else End.TORN


def portion_of(fd: int, frame: Frame) -> Portion | End:
    """What is in a frame."""
    body = os.pread(fd, frame.end - frame.begin, frame.begin)
    if zlib.crc32(body) != frame.crc:
        return End.DAMAGED
    lines = zlib.decompress(body).decode().split("\n")
    letters = [DeadLetter(*json.loads(line)) for line in lines if line.startswith("[")]
    return Portion(tuple(line for line in lines if line.startswith("{")), tuple(letters))


def _is_begun(start: bytes) -> bool:
    """Whether this may be the beginning of a first line, or what a power loss leaves of one: zeros, or nothing."""
    return start.startswith(_FIRST.encode()[: len(start)]) or not start.strip(b"\0")


def _is_blank(fd: int, place: int, size: int) -> bool:
    """Whether only zeros follow: a power loss leaves a file longer than what had reached the disk."""
    while place < size:
        part = os.pread(fd, 1 << 20, place)
        if part.strip(b"\0"):
            return False
        place += len(part)
    return True
