"""The published catalogue in memory: for one process, and for tests."""

from __future__ import annotations

import threading

from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Catalog


class MemoryCatalogShelf:
    """Safe to share between threads. It holds the JSON, as every shelf does, so that what can't be written is found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digest = catalog.NOTHING_PUBLISHED
        self._text = ""

    def digest(self) -> str:
        with self._lock:
            return self._digest

    def published(self) -> Catalog | None:
        with self._lock:
            text = self._text
        return catalog.from_stored(text) if text else None

    def publish(self, known: Catalog, replaces: str) -> bool:
        text = catalog.stored(known)
        with self._lock:
            if self._digest not in (replaces, known.digest):
                return False
            self._digest, self._text = known.digest, text
            return True
