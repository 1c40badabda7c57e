"""The chronicle in memory: a dictionary and `core.chronicle_query.select`."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence

from hysds.core import chronicle_query
from hysds.ports.chronicle import ChroniclePage, ChronicleQuery, Document, Writing, Written


class MemoryChronicle:
    """A chronicle that ends with its process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bodies: dict[tuple[str, str], str] = {}
        self._revisions: dict[tuple[str, str], int] = {}

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        with self._lock:
            return tuple(self._write(document) for document in documents)

    def _write(self, document: Document) -> Written:
        if reason := chronicle_query.objection(document):
            return Written(Writing.REFUSED, reason=reason)
        key, revision = (document["resource"], document["id"]), document["revision"]
        held = self._revisions.get(key, 0)
        if held >= revision:
            return Written(Writing.OLDER, held)
        self._revisions[key], self._bodies[key] = revision, json.dumps(document)
        return Written(Writing.WRITTEN, revision)

    def search(self, query: ChronicleQuery) -> ChroniclePage:
        with self._lock:
            bodies = list(self._bodies.values())
        return chronicle_query.select(query, (json.loads(body) for body in bodies))

    def delete_before(self, resource: str, ms: int) -> int:
        with self._lock:
            old = [key for key, at_ms in self._revisions.items() if key[0] == resource and at_ms < ms]
            for key in old:
                del self._bodies[key], self._revisions[key]
        return len(old)

    def close(self) -> None:
        """Nothing to let go of."""
