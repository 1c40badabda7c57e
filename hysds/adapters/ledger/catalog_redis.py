"""The published catalogue as one hash: its digest, which is asked for often, and its JSON, which is not."""

from __future__ import annotations

from hysds.adapters.ledger import scripts
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Catalog


class RedisCatalogShelf:
    """Safe to share between threads. `prefix` begins every key."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._key = f"{base(prefix)}catalog"

    def digest(self) -> str:
        return str(self._server.send("HGET", self._key, "digest") or catalog.NOTHING_PUBLISHED)

    def published(self) -> Catalog | None:
        text = self._server.send("HGET", self._key, "types")
        return catalog.from_stored(text) if text else None

    def publish(self, known: Catalog, replaces: str) -> bool:
        script = scripts.publishing()
        arguments = (replaces, known.digest, catalog.stored(known))
        return int(self._server.run(script, [self._key], arguments)) == 1
