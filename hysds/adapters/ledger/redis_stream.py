"""A Redis stream whose readers are in groups: reading, taking over, acknowledging; a position is a stream id.

An entry that can't be read (another program wrote it, or a later version) must hold up nobody: it is set aside with
its reason, in a hash beside the stream, and done with for the group that came across it. So nothing is decoded before
it can be judged here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from hysds.adapters.ledger import batches, scripts
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Internal
from hysds.lib import clocks
from hysds.ports.events import Unreadable

Item = TypeVar("Item")

_START = "0-0"
_MOST_KEPT = 1_000
_MOST_SHOWN = 2_000
_LOG = logging.getLogger("hysds.ledger")


class RedisStream(Generic[Item]):
    """Safe to share between threads; one member reads from one thread at a time.

    `parsed` makes an item of an entry's position and flat fields, and raises ValueError, KeyError, IndexError or
    TypeError where it can't.
    """

    def __init__(self, server: Server, key: str, parsed: Callable[[str, Sequence[str]], Item]) -> None:
        self._server = server
        self._key = key
        self._parsed = parsed

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> list[tuple[str, Item]]:
        """`begins`: a group that is not there begins, with the oldest entry; else there is nothing to read."""
        rows = self._run("read", group, member, limit, int(begins))
        if not rows and timeout_s > 0:
            rows = _streamed(self._await_new(group, member, limit, timeout_s))
        return self._readable(rows, group)

    def _await_new(self, group: str, member: str, limit: int, timeout_s: float) -> Any:
        where = ("COUNT", limit, "BLOCK", _ms(timeout_s), "STREAMS", self._key, ">")
        try:
            return self._server.wait(
                "XREADGROUP", "GROUP", group, member, *where, timeout_s=timeout_s, as_bytes=True
            )
        except Internal as error:
            if "NOGROUP" not in str(error):
                raise
            return None  # the stream was flushed meanwhile: the next read makes the group anew

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> list[tuple[str, Item]]:
        return self._readable(self._run("adopt", group, member, int(idle_s * 1000), limit), group)

    def done(self, group: str, positions: Sequence[str]) -> None:
        for part in batches.parts(positions):
            self._server.send("XACK", self._key, group, *part)

    def leave(self, group: str) -> None:
        """The group is no more."""
        self._run("leave", group)

    def follow(self, after: str, limit: int, timeout_s: float) -> list[tuple[str, Item]]:
        block = ("BLOCK", _ms(timeout_s)) if timeout_s > 0 else ()
        command = ("XREAD", "COUNT", limit, *block, "STREAMS", self._key)
        while True:
            reply = self._server.wait(*command, after or _START, timeout_s=max(timeout_s, 0), as_bytes=True)
            rows = _streamed(reply)
            found = self._readable(rows, None)
            if found or not rows:
                return found
            after = rows[-1][0].decode()  # all of these can't be read: what is behind them can, perhaps

    def unreadable(self, limit: int) -> tuple[Unreadable, ...]:
        """What was set aside, the newest first."""
        flat = self._server.send("HGETALL", self._unreadable_key)
        rows = sorted(zip(flat[::2], flat[1::2], strict=True), key=lambda row: _order(row[0]), reverse=True)
        return tuple(Unreadable(position, *json.loads(text)) for position, text in rows[:limit])

    def end(self) -> str:
        return self._run("end").decode()  # type: ignore[no-any-return]  # a script's answer

    def trim(self) -> int:
        return int(self._run("trim"))

    def backlog(self, group: str) -> int:
        return int(self._run("backlog", group))

    def depth(self) -> int:
        return int(self._server.send("XLEN", self._key))

    @property
    def _unreadable_key(self) -> str:
        return f"{self._key}:unreadable"

    def _run(self, name: str, *arguments: str | int) -> Any:
        return self._server.run(scripts.reading(name), [self._key], arguments, as_bytes=True)

    def _readable(self, rows: Sequence[Any], group: str | None) -> list[tuple[str, Item]]:
        """With the others set aside; for a follower, who has no group, they are only left out."""
        found, aside = [], []
        for raw, flat in rows:
            position = raw.decode()
            try:
                found.append((position, self._parsed(position, [value.decode() for value in flat])))
            except (ValueError, KeyError, IndexError, TypeError) as error:
                aside.append((position, f"{type(error).__name__}: {error}", _shown(flat)))
        if aside and group is not None:
            self._set_aside(group, aside)
        return found

    def _set_aside(self, group: str, entries: Sequence[tuple[str, str, str]]) -> None:
        for position, reason, text in entries:
            _LOG.error(
                "entry %s of %s can't be read and is set aside: %s: %s", position, self._key, reason, text,
                extra={"action": "set_aside"},
            )  # fmt: skip
        now_ms = clocks.wall_ms()
        flat = [
            value
            for position, reason, text in entries
            for value in (position, json.dumps([reason[:_MOST_SHOWN], text, now_ms]))
        ]
        keys = [self._key, self._unreadable_key]
        self._server.run(scripts.reading("set_aside"), keys, [group, _MOST_KEPT, *flat])


def _ms(timeout_s: float) -> int:
    """At least 1: a block of 0 ms would have no end."""
    return max(int(timeout_s * 1000), 1)


def _streamed(reply: Any) -> Sequence[Any]:
    """The rows of the one stream in an answer of XREAD; None: nothing came."""
    return list(reply[0][1]) if reply else ()


def _shown(flat: Sequence[bytes]) -> str:
    """An entry for people."""
    return b" ".join(flat)[:_MOST_SHOWN].decode(errors="backslashreplace")


def _order(position: str) -> tuple[int, int]:
    ms, _, number = position.partition("-")
    return int(ms), int(number or 0)
