"""The roster in memory: for one process, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hysds.ports.roster import Signature


class MemoryRoster:
    """Safe to share between threads. `now_us` is the server's time in µs since 1970."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._lock = threading.Lock()
        self._signed: dict[tuple[str, str], int] = {}

    def sign(self, role: str, member: str) -> None:
        with self._lock:
            self._signed[role, member] = self._now_us() // 1000

    def strike(self, role: str, member: str) -> None:
        with self._lock:
            self._signed.pop((role, member), None)

    def signatures(self) -> tuple[Signature, ...]:
        now_ms = self._now_us() // 1000
        with self._lock:
            return tuple(
                Signature(role, member, now_ms - at_ms, 0)
                for (role, member), at_ms in sorted(self._signed.items())
            )
