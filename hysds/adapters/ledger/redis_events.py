"""The event stream as a Redis stream: transitions append in their own step, groups share the reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hysds.adapters.ledger import codec
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.redis_stream import RedisStream
from hysds.adapters.ledger.server import Server
from hysds.ports.events import Entry


class RedisEvents:
    """Safe to share between threads; one member reads from one thread at a time."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._stream = RedisStream(server, f"{base(prefix)}events")

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


def _entries(rows: Sequence[Any]) -> tuple[Entry, ...]:
    return tuple(Entry(position, codec.event(flat)) for position, flat in rows)
