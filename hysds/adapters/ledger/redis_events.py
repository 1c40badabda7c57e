"""The event stream as a Redis stream: transitions append in their own step, groups share the reading."""

from __future__ import annotations

from hysds.adapters.ledger import codec
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.redis_stream import RedisStream
from hysds.adapters.ledger.server import Server
from hysds.adapters.ledger.streamed import Streamed
from hysds.core.requests import Event
from hysds.ports.events import Entry, Unreadable


class RedisEvents(Streamed[Event, Entry]):
    """Safe to share between threads; one member reads from one thread at a time."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._stream = RedisStream(server, f"{base(prefix)}events", lambda _, flat: codec.event(flat))
        super().__init__(self._stream, Entry)

    def depth(self) -> int:
        return self._stream.depth()

    def unreadable(self, limit: int) -> tuple[Unreadable, ...]:
        return self._stream.unreadable(limit)
