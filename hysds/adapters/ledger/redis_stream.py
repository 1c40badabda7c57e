"""A Redis stream whose readers are in groups: reading, taking over, acknowledging; a position is a stream id.

Rows are as the server gives them: (position, flat fields).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hysds.adapters.ledger import batches, scripts
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Internal

_START = "0-0"


class RedisStream:
    """Safe to share between threads; one member reads from one thread at a time."""

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._key = key

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> Sequence[Any]:
        """`begins`: a group that is not there begins, with the oldest entry; else there is nothing to read."""
        rows = self._run("read", group, member, limit, int(begins))
        if rows or timeout_s <= 0:
            return list(rows)
        return _streamed(self._await_new(group, member, limit, timeout_s))

    def _await_new(self, group: str, member: str, limit: int, timeout_s: float) -> Any:
        block = ("COUNT", limit, "BLOCK", _ms(timeout_s), "STREAMS", self._key, ">")
        try:
            return self._server.wait("XREADGROUP", "GROUP", group, member, *block, timeout_s=timeout_s)
        except Internal as error:
            if "NOGROUP" not in str(error):
                raise
            return None  # the stream was flushed meanwhile: the next read makes the group anew

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> Sequence[Any]:
        return list(self._run("adopt", group, member, int(idle_s * 1000), limit))

    def done(self, group: str, positions: Sequence[str]) -> None:
        for part in batches.parts(positions):
            self._server.send("XACK", self._key, group, *part)

    def leave(self, group: str) -> None:
        """The group is no more."""
        self._run("leave", group)

    def follow(self, after: str, limit: int, timeout_s: float) -> Sequence[Any]:
        where = ("STREAMS", self._key, after or _START)
        if timeout_s <= 0:
            return _streamed(self._server.send("XREAD", "COUNT", limit, *where))
        block = ("COUNT", limit, "BLOCK", _ms(timeout_s))
        return _streamed(self._server.wait("XREAD", *block, *where, timeout_s=timeout_s))

    def end(self) -> str:
        return str(self._run("end"))

    def trim(self) -> int:
        return int(self._run("trim"))

    def backlog(self, group: str) -> int:
        return int(self._run("backlog", group))

    def _run(self, name: str, *arguments: str | int) -> Any:
        return self._server.run(scripts.reading(name), [self._key], arguments)


def _ms(timeout_s: float) -> int:
    """At least 1: a block of 0 ms would have no end."""
    return max(int(timeout_s * 1000), 1)


def _streamed(reply: Any) -> Sequence[Any]:
    """The rows of the one stream in an answer of XREAD; None: nothing came."""
    return list(reply[0][1]) if reply else ()
