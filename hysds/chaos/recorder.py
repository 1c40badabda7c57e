"""Reads the whole event stream of a run, and misses nothing.

As a group of its own: the stream keeps what any of its groups has not acknowledged, so an indexer that is killed, or
quick, or trims, takes nothing away, and the server's append-only file keeps the group over a crash. An entry is
acknowledged after it is written down here; one that comes again is known by its position.
"""

from __future__ import annotations

from collections import Counter

from hysds.chaos.history import order, status_of
from hysds.core.errors import Unreachable
from hysds.core.status import TERMINAL
from hysds.ports.events import Entry, Events

_GROUP, _MEMBER = "chaos", "recorder"
_AT_ONCE = 500
_TERMINAL = frozenset(status.value for status in TERMINAL)


class Recorder:
    """What the ledger told so far."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._entries: dict[str, Entry] = {}
        self._status: dict[str, str] = {}
        self._ended = 0

    def open(self) -> None:
        """Make the group; before the first job, so that nothing is before it."""
        self._events.read(_GROUP, _MEMBER, 1, 0)

    def read(self, timeout_s: float) -> int:
        """Take what there is, or wait for it; answers how many new entries. 0 while the ledger is away."""
        try:
            given = self._events.read(_GROUP, _MEMBER, _AT_ONCE, timeout_s)
            fresh = [entry for entry in given if entry.position not in self._entries]
            for entry in fresh:
                self._note(entry)
            if given:
                self._events.done(_GROUP, [entry.position for entry in given])
        except Unreachable:
            return 0
        return len(fresh)

    def is_behind(self) -> bool:
        """Whether there is more to read. Raises: Unreachable"""
        return self._events.backlog(_GROUP) > 0

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them, in the order of the stream."""
        return tuple(sorted(self._entries.values(), key=lambda entry: order(entry.position)))

    @property
    def ended(self) -> int:
        """How many jobs have ended."""
        return self._ended

    def has_ended(self, id: str) -> bool:
        """Whether a job has ended."""
        return self._status.get(id, "") in _TERMINAL

    def standing(self) -> Counter[str]:
        """How many jobs stand where, by the last event of each."""
        return Counter(self._status.values())

    def _note(self, entry: Entry) -> None:
        self._entries[entry.position] = entry
        status = status_of(entry)
        if status.is_terminal and not self.has_ended(entry.event.id):
            self._ended += 1
        self._status[entry.event.id] = status.value
