"""Litter as a hash for each root of a host: ids, with when each job was accepted."""

from __future__ import annotations

from collections.abc import Mapping

from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.ports.litter import KEPT_S, Ground

_AT_ONCE = 500


class RedisLitter:
    """Safe to share between threads. `prefix` begins every key."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._base = f"{base(prefix)}litter:"

    def leave(self, ground: Ground, jobs: Mapping[str, int]) -> None:
        if not jobs:
            return
        key, flat = self._key(ground), [value for pair in jobs.items() for value in pair]
        self._server.send_all((("HSET", key, *flat), ("EXPIRE", key, KEPT_S)))

    def lying(self, ground: Ground, cursor: str) -> tuple[str, Mapping[str, int]]:
        after, flat = self._server.send("HSCAN", self._key(ground), cursor or "0", "COUNT", _AT_ONCE)
        found = {id_: int(ms) for id_, ms in zip(flat[::2], flat[1::2], strict=True)}
        return "" if str(after) == "0" else str(after), found

    def swept(self, ground: Ground, ids: tuple[str, ...]) -> None:
        if ids:
            self._server.send("HDEL", self._key(ground), *ids)

    def _key(self, ground: Ground) -> str:
        return f"{self._base}{ground.host}:{ground.root}"
