"""The roster as one hash: a field for each process, with when it signed on the server's clock."""

from __future__ import annotations

from collections.abc import Callable

from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.lib import clocks
from hysds.ports.roster import Signature


class RedisRoster:
    """Safe to share between threads. `prefix` begins every key; `wall_ms` is this process's wall clock."""

    def __init__(self, server: Server, prefix: str, wall_ms: Callable[[], int] = clocks.wall_ms) -> None:
        self._server = server
        self._key = f"{base(prefix)}roster"
        self._wall_ms = wall_ms

    def sign(self, role: str, member: str) -> None:
        asked_ms = self._wall_ms()
        now_ms = self._now_ms()
        ahead_ms = (asked_ms + self._wall_ms()) // 2 - now_ms
        self._server.send("HSET", self._key, f"{role} {member}", f"{now_ms} {ahead_ms}")

    def strike(self, role: str, member: str) -> None:
        self._server.send("HDEL", self._key, f"{role} {member}")

    def signatures(self) -> tuple[Signature, ...]:
        flat, now_ms = self._server.send("HGETALL", self._key), self._now_ms()
        found = []
        for field, text in zip(flat[::2], flat[1::2], strict=True):
            role, _, member = field.partition(" ")
            at_ms, ahead_ms = map(int, text.split())
            found.append(Signature(role, member, now_ms - at_ms, ahead_ms))
        return tuple(sorted(found, key=lambda one: (one.role, one.member)))

    def _now_ms(self) -> int:
        seconds, micros = self._server.send("TIME")
        return int(seconds) * 1000 + int(micros) // 1000
