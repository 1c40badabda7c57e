"""The published rules as one hash: their digest, which is asked for often, and their JSON, which is not."""

from __future__ import annotations

from hysds.adapters.ledger import scripts
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.core.rules import published
from hysds.core.rules.published import Rules
from hysds.ports.rules import GROUP


class RedisRuleShelf:
    """Safe to share between threads. `prefix` begins every key."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._key = f"{base(prefix)}rules"
        self._streams = (f"{base(prefix)}events", f"{base(prefix)}journal")

    def digest(self) -> str:
        return str(self._server.send("HGET", self._key, "digest") or published.NOTHING_PUBLISHED)

    def published(self) -> Rules | None:
        text = self._server.send("HGET", self._key, "rules")
        return published.from_stored(text) if text else None

    def publish(self, known: Rules, replaces: str) -> bool:
        needed = (int(known.look_at_jobs), int(known.look_at_happenings))
        arguments = (replaces, known.digest, published.stored(known), GROUP, *needed)
        return int(self._server.run(scripts.rules(), [self._key, *self._streams], arguments)) == 1
