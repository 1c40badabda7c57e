"""A bell that nobody hears but whoever asks: for a system in one process, and for tests."""

from __future__ import annotations

import threading
from collections import Counter


class MemoryBell:
    """Counts what was rung."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rung: Counter[str] = Counter()

    def ring(self, queue: str, times: int) -> None:
        """Ring a queue's bell so many times."""
        with self._lock:
            self._rung[queue] += max(times, 0)

    def take(self, queue: str) -> int:
        """How often the queue's bell was rung since this was last asked."""
        with self._lock:
            return self._rung.pop(queue, 0)

    def waiting(self, queue: str) -> int:
        """How many rings nobody took."""
        with self._lock:
            return self._rung[queue]

    def drop(self, queue: str) -> int:
        """Forget the rings that nobody took."""
        return self.take(queue)

    def close(self) -> None:
        """There are no connections to let go of."""
