"""The event stream as a Redis stream: transitions append in their own step, groups share the reading."""

from __future__ import annotations

from collections.abc import Sequence

from hysds.adapters.ledger import codec
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.redis_stream import RedisStream
from hysds.adapters.ledger.server import Server
from hysds.core.requests import Event
from hysds.ports.events import Entry, Unreadable


class RedisEvents:
    """Safe to share between threads; one member reads from one thread at a time."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._stream = RedisStream(server, f"{base(prefix)}events", lambda _, flat: codec.event(flat))

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> tuple[Entry, ...]:
        return _entries(self._stream.read(group, member, limit, timeout_s, begins))

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> tuple[Entry, ...]:
        return _entries(self._stream.adopt(group, member, idle_s, limit))

    def done(self, group: str, positions: Sequence[str]) -> None:
        self._stream.done(group, positions)

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
        return self._stream.unreadable(limit)


def _entries(rows: Sequence[tuple[str, Event]]) -> tuple[Entry, ...]:
    return tuple(Entry(position, event) for position, event in rows)
