"""What both live logs share: how output is cut into pieces, what a piece costs, and how a follower sees what it missed.

A position names the last entry read and, for each stream, the offset that comes next. So whatever is missing shows as a
gap between offsets, whether it was trimmed, dropped because memory was short, or lost on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hysds.core.errors import Refused
from hysds.ports.logs import Chunk, Heard

PIECE_BYTES = 65_536
"""No entry holds more: a follower is handed parts of a long line while it grows."""

ENTRY_BYTES = 64
"""What an entry costs beside its data."""

LOG_BYTES = 512
"""What a log costs beside its entries."""

SILENT_S = 86_400.0
"""A log that was not finished goes so much later than one that was: its worker may have died, or its job be silent."""

LINGER_S = 5.0
"""So long at least the end of a log can be read; of one without output, no longer."""

READ_MOST = 256
"""So many pieces at most in one answer: 16 MB."""

_FORM = re.compile(r"(end|[0-9]{1,19}-[0-9]{1,19})((?: [a-z]{1,16}=[0-9]{1,18}){0,8})")


@dataclass(frozen=True, slots=True)
class Position:
    """The entry that was read last, and the offset that follows in each stream. `last` is `end` behind the end."""

    last: str = "0-0"
    ends: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that `text` tells; "" is the beginning.

        Raises: Refused where no position reads so.
        """
        if not text:
            return cls()
        form = _FORM.fullmatch(text)
        if form is None:
            raise Refused(
                f"{text[:80]!r} is no position in a log; read from the beginning, with an empty one"
            )
        return cls(form[1], parse_ends(form[2]))

    def __str__(self) -> str:
        return " ".join([self.last, *(f"{stream}={end}" for stream, end in sorted(self.ends.items()))])

    @property
    def is_over(self) -> bool:
        """Whether the end of the log was read."""
        return self.last == "end"

    def missed(self, chunk: Chunk) -> int:
        """How many bytes of its stream are missing before a chunk; a file that its writer cut misses none."""
        return max(chunk.offset - self.ends.get(chunk.stream, 0), 0)

    def behind(self, key: str, chunk: Chunk) -> Position:
        """The position after an entry."""
        return Position(key, {**self.ends, chunk.stream: chunk.offset + len(chunk.data)})


@dataclass(frozen=True, slots=True)
class End:
    """The last entry of a log: where each stream ended."""

    ends: Mapping[str, int]


def parse_ends(text: str) -> dict[str, int]:
    """Offsets by stream from `stdout=7 stderr=0`."""
    return {stream: int(end) for stream, end in (word.split("=") for word in text.split())}


def heard(position: Position, entries: Sequence[tuple[str, Chunk | End]]) -> Heard:
    """What a follower at a position reads: chunks up to the next gap, so that a gap stands before what follows it."""
    chunks: list[Chunk] = []
    missed_bytes = 0
    for key, entry in entries:
        if isinstance(entry, End):
            gap = sum(max(end - position.ends.get(stream, 0), 0) for stream, end in entry.ends.items())
        else:
            gap = position.missed(entry)
        if gap and chunks:
            break
        missed_bytes += gap
        if isinstance(entry, End):
            over = replace(position, last="end")
            return Heard(tuple(chunks), str(over), missed_bytes, ended=True)
        chunks.append(entry)
        position = position.behind(key, entry)
    return Heard(tuple(chunks), str(position), missed_bytes, ended=position.is_over)


def pieces(chunks: Sequence[Chunk], per_log_bytes: int) -> list[Chunk]:
    """Chunks cut into pieces, the newest that one log can hold. The older ones would be trimmed at once."""
    size_bytes = min(PIECE_BYTES, per_log_bytes // 4)
    newest: list[Chunk] = []
    cost_bytes = 0
    for piece in (piece for chunk in reversed(chunks) for piece in reversed(list(_cut(chunk, size_bytes)))):
        cost_bytes += len(piece.data) + ENTRY_BYTES
        if cost_bytes > per_log_bytes:
            break
        newest.append(piece)
    return newest[::-1]


def _cut(chunk: Chunk, size_bytes: int) -> Iterator[Chunk]:
    for start in range(0, len(chunk.data), size_bytes):
        yield Chunk(chunk.stream, chunk.offset + start, chunk.data[start : start + size_bytes])
