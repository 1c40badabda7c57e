"""A stream in memory whose readers are in groups: a list that others append to, and how far each group is.

A position is a number in text, from 1; "0" stands before all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class _Given:
    """An entry that a member was given and has not acknowledged."""

    member: str
    since_s: float


@dataclass(slots=True)
class _Group:
    last: int = 0
    given: dict[int, _Given] = field(default_factory=dict)


class MemoryStream(Generic[Item]):
    """Safe to share between threads.

    `changed` guards `items`, and is notified when some were added or the owner closed; `now_s` never goes back.
    """

    def __init__(
        self,
        changed: threading.Condition,
        items: Callable[[], list[Item]],
        is_closed: Callable[[], bool],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed = changed
        self._items = items
        self._is_closed = is_closed
        self._now_s = now_s
        self._groups: dict[str, _Group] = {}
        self._trimmed = 0

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> list[tuple[str, Item]]:
        """`begins`: a group that is not there begins, with the oldest entry; else there is nothing to read."""
        with self._changed:
            if not begins and group not in self._groups:
                self._changed.wait_for(lambda: self._is_closed() or group in self._groups, timeout_s)
                return []
            known = self._groups.setdefault(group, _Group())
            mine = [at for at in sorted(known.given) if known.given[at].member == member]
            if not mine:
                self._await(known.last, timeout_s)
            fresh = range(max(known.last, self._trimmed) + 1, self._end() + 1)[: max(limit - len(mine), 0)]
            if fresh:
                known.last = fresh[-1]
            return self._give(known, member, [*mine[:limit], *fresh])

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> list[tuple[str, Item]]:
        with self._changed:
            known = self._groups.get(group, _Group())
            left = [
                at
                for at, given in sorted(known.given.items())
                if given.member != member and given.since_s <= self._now_s() - idle_s
            ]
            return self._give(known, member, left[:limit])

    def done(self, group: str, positions: Sequence[str]) -> None:
        with self._changed:
            known = self._groups.get(group, _Group())
            for position in positions:
                known.given.pop(int(position), None)

    def begin(self, group: str) -> None:
        """A group that is not there begins behind the newest entry."""
        with self._changed:
            self._groups.setdefault(group, _Group(self._end()))
            self._changed.notify_all()

    def leave(self, group: str) -> None:
        with self._changed:
            self._groups.pop(group, None)

    def follow(self, after: str, limit: int, timeout_s: float) -> list[tuple[str, Item]]:
        with self._changed:
            behind = int(after or "0")
            self._await(behind, timeout_s)
            first = max(behind, self._trimmed) + 1
            return self._entries(range(first, self._end() + 1)[:limit])

    def end(self) -> str:
        with self._changed:
            return str(self._end())

    def trim(self) -> int:
        with self._changed:
            if not self._groups:
                return 0
            keep = min(min(group.given, default=group.last + 1) for group in self._groups.values())
            return self.drop(max(keep - 1 - self._trimmed, 0))

    def drop(self, count: int) -> int:
        """Take away the oldest, read or not; answers how many."""
        with self._changed:
            del self._items()[:count]
            self._trimmed += count
            for group in self._groups.values():
                group.given = {at: given for at, given in group.given.items() if at > self._trimmed}
            return count

    def backlog(self, group: str) -> int:
        with self._changed:
            known = self._groups.get(group, _Group())
            return len(known.given) + self._end() - max(known.last, self._trimmed)

    def depth(self) -> int:
        with self._changed:
            return len(self._items())

    def _end(self) -> int:
        return self._trimmed + len(self._items())

    def _await(self, behind: int, timeout_s: float) -> None:
        self._changed.wait_for(lambda: self._is_closed() or self._end() > behind, timeout_s)

    def _give(self, group: _Group, member: str, positions: Sequence[int]) -> list[tuple[str, Item]]:
        for at in positions:
            group.given[at] = _Given(member, self._now_s())
        return self._entries(positions)

    def _entries(self, positions: Iterable[int]) -> list[tuple[str, Item]]:
        items = self._items()
        return [(str(at), items[at - self._trimmed - 1]) for at in positions]
