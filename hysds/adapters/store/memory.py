"""The store in memory: dictionaries and `core.query.select`, for tests and systems that leave nothing behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

from hysds.core.errors import Refused
from hysds.core.query import JobQuery, select
from hysds.core.searched import Sealed, seal
from hysds.ports.store import DeadLetter, Document, Page, Writing, Written


class MemoryStore:
    """A store that ends with its process. Searches look at every job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sealed: dict[str, Sealed] = {}
        self._letters: dict[str, DeadLetter] = {}

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        with self._lock:
            return tuple(self._write(document) for document in documents)

    def _write(self, document: Document) -> Written:
        try:
            sealed = seal(document)
        except Refused as refusal:
            return Written(Writing.REFUSED, reason=str(refusal))
        held = self._sealed.get(sealed.id)
        if held is not None and held.revision >= sealed.revision:
            return Written(Writing.OLDER, held.revision)
        self._sealed[sealed.id] = sealed
        letter = self._letters.get(sealed.id)
        if letter is not None and letter.revision <= sealed.revision:
            del self._letters[sealed.id]
        return Written(Writing.WRITTEN, sealed.revision)

    def get(self, ids: Sequence[str]) -> tuple[dict[str, Any] | None, ...]:
        with self._lock:
            return tuple(self._document(id_) if id_ in self._sealed else None for id_ in ids)

    def search(self, query: JobQuery) -> Page:
        with self._lock:
            found = select(query, [sealed.searched for sealed in self._sealed.values()])
            documents = tuple(self._document(id_) for id_ in found.ids)
        return Page(documents, found.cursor, found.total, found.counts)

    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        with self._lock:
            for letter in letters:
                written = self._sealed.get(letter.id)
                before = self._letters.get(letter.id)
                if (written is None or written.revision < letter.revision) and (
                    before is None or before.revision <= letter.revision
                ):
                    self._letters[letter.id] = letter

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        with self._lock:
            letters = sorted(self._letters.values(), key=lambda letter: (-letter.at_ms, letter.id))
        return tuple(letters[:limit])

    def describe(self) -> str:
        return "memory of this process"

    def close(self) -> None:
        """Nothing to let go of; what was written can still be read."""

    def _document(self, id_: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._sealed[id_].body)
        return document
