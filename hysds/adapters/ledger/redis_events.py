"""The event stream as a Redis stream: transitions append in their own step, groups share the reading.

A position is a stream id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hysds.adapters.ledger import batches, codec, scripts
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Internal
from hysds.ports.events import Entry

_START = "0-0"


class RedisEvents:
    """Safe to share between threads; one member reads from one thread at a time."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._stream = f"{base(prefix)}events"

    def read(self, group: str, member: str, limit: int, timeout_s: float) -> tuple[Entry, ...]:
        entries = self._run("read", group, member, limit)
        if entries or timeout_s <= 0:
            return _entries(entries)
        return _streamed(self._await_new(group, member, limit, timeout_s))

    def _await_new(self, group: str, member: str, limit: int, timeout_s: float) -> Any:
        where = (
            "GROUP",
            group,
            member,
            "COUNT",
            limit,
            "BLOCK",
            _ms(timeout_s),
            "STREAMS",
            self._stream,
            ">",
        )
        try:
            return self._server.wait("XREADGROUP", *where, timeout_s=timeout_s)
        except Internal as error:
            if "NOGROUP" not in str(error):
                raise
            return None  # the stream was flushed meanwhile: the next read makes the group anew

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> tuple[Entry, ...]:
        return _entries(self._run("adopt", group, member, int(idle_s * 1000), limit))

    def done(self, group: str, positions: Sequence[str]) -> None:
        for part in batches.parts(positions):
            self._server.send("XACK", self._stream, group, *part)

    def follow(self, after: str, limit: int, timeout_s: float) -> tuple[Entry, ...]:
        where = ("COUNT", limit, "BLOCK", _ms(timeout_s), "STREAMS", self._stream, after or _START)
        if timeout_s <= 0:
            return _streamed(
                self._server.send("XREAD", "COUNT", limit, "STREAMS", self._stream, after or _START)
            )
        return _streamed(self._server.wait("XREAD", *where, timeout_s=timeout_s))

    def end(self) -> str:
        return str(self._run("end"))

    def trim(self) -> int:
        return int(self._run("trim"))

    def backlog(self, group: str) -> int:
        return int(self._run("backlog", group))

    def _run(self, name: str, *arguments: str | int) -> Any:
        return self._server.run(scripts.reading(name), [self._stream], arguments)


def _ms(timeout_s: float) -> int:
    """At least 1: a block of 0 ms would have no end."""
    return max(int(timeout_s * 1000), 1)


def _streamed(reply: Any) -> tuple[Entry, ...]:
    """The entries of the one stream in an answer of XREAD; None: nothing came."""
    return _entries(reply[0][1]) if reply else ()


def _entries(rows: Any) -> tuple[Entry, ...]:
    return tuple(Entry(position, codec.event(flat)) for position, flat in rows)
