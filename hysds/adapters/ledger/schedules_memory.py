"""Schedules in memory: for one process, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hysds.core.schedule import Schedule


class MemorySchedules:
    """Safe to share between threads. `now_us` is the server's time in µs since 1970."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._lock = threading.Lock()
        self._kept: dict[str, Schedule] = {}

    def put(self, schedule: Schedule, over: int | None) -> bool:
        with self._lock:
            old = self._kept.get(schedule.name)
            if old == schedule:
                return True
            if (None if old is None else old.revision) != over:
                return False
            self._kept[schedule.name] = schedule
            return True

    def drop(self, name: str) -> bool:
        with self._lock:
            return self._kept.pop(name, None) is not None

    def all(self) -> tuple[Schedule, ...]:
        with self._lock:
            return tuple(self._kept[name] for name in sorted(self._kept))

    def unreadable(self) -> tuple[str, ...]:
        return ()

    def due(self, limit: int) -> tuple[int, tuple[Schedule, ...]]:
        now_ms = self._now_us() // 1000
        waiting = [(one.due_ms, one) for one in self.all() if one.due_ms is not None]  # by name
        over = sorted((pair for pair in waiting if pair[0] <= now_ms), key=lambda pair: pair[0])
        return now_ms, tuple(one for _, one in over[:limit])
