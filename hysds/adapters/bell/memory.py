"""A bell that nobody hears but whoever asks, and calls that nobody answers: for one process, and for tests."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from uuid import uuid4


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


@dataclass(frozen=True, slots=True)
class KeptCall:
    """A call that was sent, for whoever looks; nobody answers it."""

    id: str
    task: str
    argument: object
    queue: str
    priority: int | None

    def result(self, timeout_s: float | None = None) -> object:
        """Raises: TimeoutError"""
        raise TimeoutError(f"call {self.id} was not answered: nobody hears calls in memory")


class MemoryCalls:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[KeptCall] = []

    def send(self, task: str, argument: object, queue: str, priority: int | None = None) -> KeptCall:
        """Keep a call."""
        self.sent.append(KeptCall(str(uuid4()), task, argument, queue, priority))
        return self.sent[-1]

    def close(self) -> None:
        """There are no connections to let go of."""
