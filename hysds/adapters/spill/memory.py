"""A spill in memory, for tests: nothing of it survives its process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hysds.core.errors import Full
from hysds.lib import clocks
from hysds.ports.spill import Held, Portion


class MemorySpill:
    """Takes portions up to `limit_bytes` of JSON text."""

    def __init__(self, limit_bytes: int = 10**9, wall_ms: Callable[[], int] = clocks.wall_ms) -> None:
        self._limit_bytes = limit_bytes
        self._wall_ms = wall_ms
        self._portions: deque[tuple[int, Portion]] = deque()

    def append(self, portion: Portion) -> None:
        if self.held().size_bytes + _size(portion) > self._limit_bytes:
            raise Full(f"the spill holds its {self._limit_bytes} bytes")
        self._portions.append((self._wall_ms(), portion))

    def oldest(self) -> Portion | None:
        return self._portions[0][1] if self._portions else None

    def done(self) -> None:
        if self._portions:
            self._portions.popleft()

    def held(self) -> Held:
        kept = tuple(self._portions)
        return Held(
            sum(len(portion) for _, portion in kept),
            sum(_size(portion) for _, portion in kept),
            kept[0][0] if kept else 0,
        )

    def close(self) -> None:
        """Nothing is held open."""


def _size(portion: Portion) -> int:
    return sum(map(len, portion.documents)) + sum(len(letter.reason) for letter in portion.letters)
