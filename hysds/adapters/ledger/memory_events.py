"""The event stream in memory: the book's own list, and how far each group is."""

from __future__ import annotations

import time
from collections.abc import Callable

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_stream import MemoryStream
from hysds.adapters.ledger.streamed import Streamed
from hysds.core.requests import Event
from hysds.ports.events import Entry, Unreadable


class MemoryEvents(Streamed[Event, Entry]):
    """Safe to share between threads. `now_s` is a clock that never goes back."""

    def __init__(self, ledger: MemoryLedger, now_s: Callable[[], float] = time.monotonic) -> None:
        self._stream: MemoryStream[Event] = MemoryStream(
            ledger.changed, lambda: ledger.book.events, lambda: ledger.is_closed, now_s
        )
        super().__init__(self._stream, Entry)

    def begin(self, group: str) -> None:
        """A group that is not there begins behind the newest entry."""
        self._stream.begin(group)

    def leave(self, group: str) -> None:
        """The group is no more."""
        self._stream.leave(group)

    def depth(self) -> int:
        return self._stream.depth()

    def unreadable(self, limit: int) -> tuple[Unreadable, ...]:
        return ()  # its entries are values: whoever wrote them can read them
