"""The published rules in memory: for one process, and for tests."""

from __future__ import annotations

import threading
from typing import Protocol

from hysds.core.rules import published
from hysds.core.rules.published import Rules
from hysds.ports.rules import GROUP


class Stream(Protocol):
    """A stream in memory that has groups."""

    def begin(self, group: str) -> None: ...

    def leave(self, group: str) -> None: ...


class MemoryRuleShelf:
    """Safe to share between threads. It holds the JSON, as every shelf does, so that what can't be written is found."""

    def __init__(self, events: Stream, journal: Stream) -> None:
        self._events = events
        self._journal = journal
        self._lock = threading.Lock()
        self._digest = published.NOTHING_PUBLISHED
        self._text = ""

    def digest(self) -> str:
        with self._lock:
            return self._digest

    def published(self) -> Rules | None:
        with self._lock:
            text = self._text
        return published.from_stored(text) if text else None

    def publish(self, known: Rules, replaces: str) -> bool:
        text = published.stored(known)
        with self._lock:
            if self._digest not in (replaces, known.digest):
                return False
            self._digest, self._text = known.digest, text
            for stream, is_needed in (
                (self._events, known.look_at_jobs),
                (self._journal, known.look_at_happenings),
            ):
                if is_needed:
                    stream.begin(GROUP)
                else:
                    stream.leave(GROUP)
            return True
