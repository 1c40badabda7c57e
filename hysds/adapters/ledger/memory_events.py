"""The event stream in memory: the book's own list, and how far each group is.

A position is a number in text, from 1; "0" stands before all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.ports.events import Entry


@dataclass(slots=True)
class _Given:
    """An entry that a member was given and has not acknowledged."""

    member: str
    since_s: float


@dataclass(slots=True)
class _Group:
    last: int = 0
    given: dict[int, _Given] = field(default_factory=dict)


class MemoryEvents:
    """Safe to share between threads. `now_s` is a clock that never goes back."""

    def __init__(self, ledger: MemoryLedger, now_s: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._now_s = now_s
        self._groups: dict[str, _Group] = {}
        self._trimmed = 0

    def read(self, group: str, member: str, limit: int, timeout_s: float) -> tuple[Entry, ...]:
        with self._ledger.changed:
            known = self._groups.setdefault(group, _Group())
            mine = [at for at in sorted(known.given) if known.given[at].member == member]
            if not mine:
                self._await(known.last, timeout_s)
            fresh = range(max(known.last, self._trimmed) + 1, self._end() + 1)[: max(limit - len(mine), 0)]
            if fresh:
                known.last = fresh[-1]
            return self._give(known, member, [*mine[:limit], *fresh])

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> tuple[Entry, ...]:
        with self._ledger.changed:
            known = self._groups.get(group, _Group())
            left = [
                at
                for at, given in sorted(known.given.items())
                if given.member != member and given.since_s <= self._now_s() - idle_s
            ]
            return self._give(known, member, left[:limit])

    def done(self, group: str, positions: Sequence[str]) -> None:
        with self._ledger.changed:
            known = self._groups.get(group, _Group())
            for position in positions:
                known.given.pop(int(position), None)

    def follow(self, after: str, limit: int, timeout_s: float) -> tuple[Entry, ...]:
        with self._ledger.changed:
            behind = int(after or "0")
            self._await(behind, timeout_s)
            first = max(behind, self._trimmed) + 1
            return self._entries(range(first, self._end() + 1)[:limit])

    def end(self) -> str:
        with self._ledger.changed:
            return str(self._end())

    def trim(self) -> int:
        with self._ledger.changed:
            if not self._groups:
                return 0
            keep = min(min(group.given, default=group.last + 1) for group in self._groups.values())
            count = max(keep - 1 - self._trimmed, 0)
            del self._ledger.book.events[:count]
            self._trimmed += count
            return count

    def backlog(self, group: str) -> int:
        with self._ledger.changed:
            known = self._groups.get(group, _Group())
            return len(known.given) + self._end() - max(known.last, self._trimmed)

    def _end(self) -> int:
        return self._trimmed + len(self._ledger.book.events)

    def _await(self, behind: int, timeout_s: float) -> None:
        self._ledger.changed.wait_for(lambda: self._ledger.is_closed or self._end() > behind, timeout_s)

    def _give(self, group: _Group, member: str, positions: Sequence[int]) -> tuple[Entry, ...]:
        for at in positions:
            group.given[at] = _Given(member, self._now_s())
        return self._entries(positions)

    def _entries(self, positions: Iterable[int]) -> tuple[Entry, ...]:
        events = self._ledger.book.events
        return tuple(Entry(str(at), events[at - self._trimmed - 1]) for at in positions)
