"""Dead letters in an index of their own: why a job has no document of a revision.

A letter's version is twice its revision, its delete's one more, so a letter of the same revision replaces it and what
was deleted does not come back. What was written since makes a letter void: that is looked up when letters are read, and
costs writers nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hysds.adapters.store.elasticsearch import bulk, searching
from hysds.adapters.store.elasticsearch.bulk import Bulk
from hysds.adapters.store.elasticsearch.lookup import Lookup
from hysds.adapters.store.elasticsearch.names import Names, key
from hysds.adapters.store.elasticsearch.server import Server
from hysds.core import moments
from hysds.core.generations import FIRST
from hysds.ports.indices import Resource
from hysds.ports.store import DeadLetter

_PAGE = 1_000
_LARGEST = (1 << 63) - 1
_LETTER = Resource.DEAD_LETTER


class Letters:
    """The letters of one store."""

    def __init__(self, server: Server, names: Names) -> None:
        self._server = server
        self._names = names
        self._bulk = Bulk(server)

    def set_aside(self, letters: Sequence[DeadLetter], documents: Lookup) -> None:
        """Keep those that say something about more than what is written."""
        held = documents.held([letter.id for letter in letters]) if letters else {}
        alias = self._names.writing(_LETTER, FIRST)
        items = [
            bulk.index(alias, key(letter.id), _version(letter.revision), _source(letter), equal=True)
            for letter in letters
            if letter.id not in held or held[letter.id].revision < letter.revision
        ]
        if items:
            self._bulk.send(items)

    def newest(self, limit: int, documents: Lookup) -> tuple[DeadLetter, ...]:
        """The newest that are not void."""
        found: list[DeadLetter] = []
        after: list[Any] = []
        while len(found) < limit:
            hits = self._page(after)
            letters = [_letter(hit["_source"]) for hit in hits]
            held = documents.held([letter.id for letter in letters]) if letters else {}
            void = [one for one in letters if one.id in held and held[one.id].revision >= one.revision]
            self.delete([(letter.id, letter.revision) for letter in void])
            found += [letter for letter in letters if letter not in void]
            if len(hits) < _PAGE:
                break
            after = hits[-1]["sort"]
        return tuple(found[:limit])

    def delete(self, wanted: Sequence[tuple[str, int]]) -> None:
        """Delete letters up to these revisions."""
        index = self._names.index(_LETTER, FIRST)
        items = [bulk.delete(index, key(id_), _version(revision) + 1) for id_, revision in wanted]
        if items and self._exists(index):
            self._bulk.send(items)

    def _exists(self, index: str) -> bool:
        """A delete would make an index that is missing."""
        said = self._server.ask(
            "GET", f"/{index}*/_alias", params={"allow_no_indices": "true", "filter_path": "*.aliases"}
        )
        return index in said

    def _page(self, after: list[Any]) -> list[dict[str, Any]]:
        body: dict[str, Any] = {
            "query": {"match_all": {}},
            "sort": [{"searched.at": "desc"}, {"searched.id": "asc"}],
            "size": _PAGE,
        }
        if after:
            body["search_after"] = after
        said = searching.asked(self._server, self._names.reading(_LETTER), body)
        hits: list[dict[str, Any]] = said["hits"]["hits"]
        return hits


def _version(revision: int) -> int:
    return min(2 * revision, _LARGEST - 1)


def _source(letter: DeadLetter) -> bytes:
    document = {
        "searched": {"id": letter.id, "at": letter.at_ms},
        "id": letter.id,
        "resource": _LETTER.value,
        "revision": letter.revision,
        "reason": letter.reason,
        "@timestamp": moments.iso(letter.at_ms),
    }
    return json.dumps(document).encode()


def _letter(source: dict[str, Any]) -> DeadLetter:
    return DeadLetter(source["id"], source["revision"], source["reason"], source["searched"]["at"])
