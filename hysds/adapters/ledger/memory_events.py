"""The event stream in memory: the book's own list, and how far each group is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_stream import MemoryStream
from hysds.core.requests import Event
from hysds.ports.events import Entry, Unreadable


class MemoryEvents:
    """Safe to share between threads. `now_s` is a clock that never goes back."""

    def __init__(self, ledger: MemoryLedger, now_s: Callable[[], float] = time.monotonic) -> None:
        self._stream: MemoryStream[Event] = MemoryStream(
            ledger.changed, lambda: ledger.book.events, lambda: ledger.is_closed, now_s
        )

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> tuple[Entry, ...]:
        return _entries(self._stream.read(group, member, limit, timeout_s, begins))

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> tuple[Entry, ...]:
        return _entries(self._stream.adopt(group, member, idle_s, limit))

    def done(self, group: str, positions: Sequence[str]) -> None:
        self._stream.done(group, positions)

    def begin(self, group: str) -> None:
        """A group that is not there begins behind the newest entry."""
        self._stream.begin(group)

    def leave(self, group: str) -> None:
        """The group is no more."""
        self._stream.leave(group)

    def follow(self, after: str, limit: int, timeout_s: float) -> tuple[Entry, ...]:
        return _entries(self._stream.follow(after, limit, timeout_s))

    def end(self) -> str:
        return self._stream.end()

    def trim(self) -> int:
        return self._stream.trim()

    def backlog(self, group: str) -> int:
        return self._stream.backlog(group)

    def depth(self) -> int:
        return self._stream.depth()

    def unreadable(self, limit: int) -> tuple[Unreadable, ...]:
        return ()  # its entries are values: whoever wrote them can read them


def _entries(rows: Iterable[tuple[str, Event]]) -> tuple[Entry, ...]:
    return tuple(Entry(position, event) for position, event in rows)
