"""The store in memory: dictionaries and `core.query.select`, for tests and systems that leave nothing behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from hysds.core.errors import Refused
from hysds.core.query import JobQuery, select
from hysds.core.searched import Sealed, seal
from hysds.lib import clocks
from hysds.ports.store import FENCE_MS, DeadLetter, Document, Found, Page, Writing, Written


class MemoryStore:
    """A store that ends with its process. Searches look at every job. `wall_ms`: the wall clock."""

    def __init__(self, wall_ms: Callable[[], int] = clocks.wall_ms) -> None:
        self._wall_ms = wall_ms
        self._fences: dict[str, tuple[int, int]] = {}
        """Up to which revision a deleted job is not written again, and since when (wall ms)."""
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
        held = self._held(sealed.id)
        if held >= sealed.revision:
            return Written(Writing.OLDER, held)
        self._sealed[sealed.id] = sealed
        letter = self._letters.get(sealed.id)
        if letter is not None and letter.revision <= sealed.revision:
            del self._letters[sealed.id]
        return Written(Writing.WRITTEN, sealed.revision)

    def _held(self, id_: str) -> int:
        sealed = self._sealed.get(id_)
        fence, _ = self._fences.get(id_, (0, 0))
        return max(fence, sealed.revision if sealed is not None else 0)

    def get(self, ids: Sequence[str]) -> tuple[dict[str, Any] | None, ...]:
        with self._lock:
            return tuple(self._document(id_) if id_ in self._sealed else None for id_ in ids)

    def search(self, query: JobQuery) -> Page:
        with self._lock:
            found = select(query, [sealed.searched for sealed in self._sealed.values()])
            documents = tuple(self._document(id_) for id_ in found.ids)
        return Page(documents, found.cursor, found.total, found.counts)

    def find(self, query: JobQuery) -> Found:
        with self._lock:
            found = select(query, [sealed.searched for sealed in self._sealed.values()])
            jobs = tuple((id_, self._sealed[id_].searched.status) for id_ in found.ids)
        return Found(jobs, found.cursor, found.total)

    def delete(self, wanted: Sequence[tuple[str, int]]) -> tuple[bool, ...]:
        now_ms = self._wall_ms()
        with self._lock:
            answers = tuple(self._delete(id_, revision, now_ms) for id_, revision in wanted)
            old = [id_ for id_, (_, at_ms) in self._fences.items() if at_ms < now_ms - FENCE_MS]
            for id_ in old:
                del self._fences[id_]
        return answers

    def _delete(self, id_: str, revision: int, now_ms: int) -> bool:
        fence, _ = self._fences.get(id_, (0, 0))
        self._fences[id_] = max(fence, revision), now_ms
        letter, sealed = self._letters.get(id_), self._sealed.get(id_)
        if letter is not None and letter.revision <= revision:
            del self._letters[id_]
        if sealed is None or sealed.revision > revision:
            return False
        del self._sealed[id_]
        return True

    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        with self._lock:
            for letter in letters:
                before = self._letters.get(letter.id)
                if self._held(letter.id) < letter.revision and (
                    before is None or before.revision <= letter.revision
                ):
                    self._letters[letter.id] = letter

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        with self._lock:
            letters = sorted(self._letters.values(), key=lambda letter: (-letter.at_ms, letter.id))
        return tuple(letters[:limit])

    def refresh(self) -> None:
        """Questions always know all."""

    def describe(self) -> str:
        return "memory of this process"

    def close(self) -> None:
        """Nothing to let go of; what was written can still be read."""

    def _document(self, id_: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._sealed[id_].body)
        return document
