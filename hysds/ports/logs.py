"""Live output of running jobs: the newest of it, for those who watch; the whole stands in the work directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of one stream (`stdout`, `stderr`, or `note` for what HySDS itself says) and their offset in its file."""

    stream: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What a follower reads. `missed_bytes` were dropped before these chunks, or never kept."""

    chunks: tuple[Chunk, ...]
    position: str
    missed_bytes: int
    ended: bool


class Logs(Protocol):
    """One bounded log a job and attempt."""

    def append(self, id: str, fence: int, chunks: Sequence[Chunk]) -> int:
        """Add output of an attempt; answers how many bytes were dropped instead, because memory is short."""

    def finish(self, id: str, fence: int) -> None:
        """No more comes from this attempt; the log goes after its retention."""

    def read(self, id: str, fence: int, after: str, limit: int, timeout_s: float) -> Heard:
        """Chunks of an attempt behind a position ("": from the oldest kept); waits up to `timeout_s` for the first."""
