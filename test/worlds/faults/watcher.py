"""Reads the whole event stream while everything else is killed and started again."""

from __future__ import annotations

import threading

from hysds.core.errors import Unreachable
from hysds.ports.events import Entry, Events

_GROUP = "watcher"
"""A group of its own: the stream keeps for it what it has not read, however long it is kept from reading."""
_LIMIT = 1_000
_WAIT_S = 0.5


class Watcher(threading.Thread):
    """Keeps each entry once, in order."""

    def __init__(self, events: Events) -> None:
        super().__init__(daemon=True)
        self._events = events
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._stopping = threading.Event()
        self.start()

    def run(self) -> None:
        seen: set[str] = set()
        while not self._stopping.is_set():
            try:
                entries = self._events.read(_GROUP, "watcher", _LIMIT, _WAIT_S)
                with self._lock:
                    self._entries.extend(entry for entry in entries if entry.position not in seen)
                seen.update(entry.position for entry in entries)
                self._events.done(_GROUP, [entry.position for entry in entries])
            except Unreachable:
                self._stopping.wait(0.05)

    def of(self, job_id: str) -> tuple[Entry, ...]:
        """All that was told of a job so far."""
        with self._lock:
            return tuple(entry for entry in self._entries if entry.event.id == job_id)

    def stop(self) -> None:
        """Read no more."""
        self._stopping.set()
        self.join()
