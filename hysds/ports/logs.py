"""Live output of running jobs: the newest of it, for those who watch; the whole stands in the work directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

NOTE = "note"
"""The stream of what HySDS itself says."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of one stream (`stdout`, `stderr`, or `note` for what HySDS itself says) and their offset in its file.

    A note stands in no file: its offset is the log's own count, whatever the writer gives.
    """

    stream: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What a follower reads.

    `missed_bytes` came before these chunks and can't be had any more: the log holds only the newest, or never got
    them. They stand in the files. `position` is where to go on; `ended`: nothing comes after these chunks.
    """

    chunks: tuple[Chunk, ...]
    position: str
    missed_bytes: int
    ended: bool


class Logs(Protocol):
    """One bounded log a job and attempt; each call is one round trip. Any thread may call.

    All logs share one bound. Where it is reached, logs that ended go first, the one that ended longest ago before
    the others; then the largest log loses its oldest output. A log that nobody finishes goes a day later than others.
    """

    def append(self, id: str, fence: int, chunks: Sequence[Chunk]) -> int:
        """Add output of an attempt; answers how many bytes were dropped instead, because memory is short.

        Chunks are kept in their order, cut into pieces where they are long. To a finished log nothing is added.
        Raises: Unreachable; it is not known then whether they were added. Followers see the gap by the offsets.
        """

    def finish(self, id: str, fence: int) -> None:
        """No more comes from this attempt; the log goes after its retention. May be repeated.

        Raises: Unreachable
        """

    def read(self, id: str, fence: int, after: str, limit: int, timeout_s: float) -> Heard:
        """At most `limit` chunks of an attempt behind a position ("": from the oldest kept).

        Waits up to `timeout_s` for the first, or for the end. A log that does not exist, not yet or no more, reads as
        one where nothing has come: whether its attempt is over, the ledger knows.
        Raises: Refused for a position that no read gave, Unreachable.
        """

    def held_bytes(self) -> int:
        """What all logs together take of the bound, what it costs to keep them included.

        Raises: Unreachable
        """
