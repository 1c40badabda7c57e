"""Alarms in memory: for one process, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hysds.core.alarms import Alarm

_REST = ""
"""Who has the turn while nobody may take it; no member is called so."""


class MemoryAlarms:
    """Safe to share between threads. `now_us` is the server's time in µs since 1970."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._lock = threading.Lock()
        self._kept: dict[str, Alarm] = {}
        self._turns: dict[str, tuple[str, int]] = {}

    def all(self) -> tuple[int, tuple[Alarm, ...]]:
        with self._lock:
            return self._now_us() // 1000, tuple(self._kept[key] for key in sorted(self._kept))

    def put(self, alarm: Alarm) -> bool:
        with self._lock:
            old = self._kept.get(alarm.key)
            if old == alarm:
                return True
            if (0 if old is None else old.revision) != alarm.revision - 1:
                return False
            self._kept[alarm.key] = alarm
            return True

    def drop(self, alarm: Alarm) -> bool:
        with self._lock:
            old = self._kept.get(alarm.key)
            if old is None or old.revision != alarm.revision:
                return False
            del self._kept[alarm.key]
            return True

    def take_turn(self, name: str, member: str, for_ms: int) -> bool:
        with self._lock:
            now_ms = self._now_us() // 1000
            holder, until_ms = self._turns.get(name, (_REST, 0))
            if now_ms < until_ms and holder != member:
                return False
            self._turns[name] = (member, now_ms + for_ms)
            return True

    def end_turn(self, name: str, member: str, rest_ms: int) -> None:
        with self._lock:
            if self._turns.get(name, (_REST, 0))[0] == member:
                self._turns[name] = (_REST, self._now_us() // 1000 + rest_ms)
