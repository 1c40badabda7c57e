"""Litter in memory: for one process, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from hysds.ports.litter import Ground


class MemoryLitter:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lying: dict[Ground, dict[str, int]] = {}

    def leave(self, ground: Ground, jobs: Mapping[str, int]) -> None:
        with self._lock:
            self._lying.setdefault(ground, {}).update(jobs)

    def lying(self, ground: Ground, cursor: str) -> tuple[str, Mapping[str, int]]:
        with self._lock:
            return "", dict(self._lying.get(ground, {}))

    def swept(self, ground: Ground, ids: tuple[str, ...]) -> None:
        with self._lock:
            for id_ in ids:
                self._lying.get(ground, {}).pop(id_, None)
