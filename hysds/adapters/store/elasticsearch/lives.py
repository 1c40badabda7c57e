"""One document a job, also where a job was accepted once more under its id after the ledger had forgotten it.

Its new life is born in the generation of that time, so the document of the old one lies in another index. Whoever
writes the first of one looks into the other generations, and leaves a fence in the place of the older.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from hysds.adapters.store.elasticsearch import bulk
from hysds.adapters.store.elasticsearch.bulk import Answer, Bulk
from hysds.adapters.store.elasticsearch.lookup import Lookup
from hysds.adapters.store.elasticsearch.names import key
from hysds.core import ids
from hysds.core.errors import InvalidSpec
from hysds.core.searched import Sealed

_FRESH_MS = 600_000
"""An id that was made so short before its job was accepted, as `hysds submit` makes them, has no other life."""
_CREATED = "created"


class Lives:
    """Of the jobs of one store. `wall_ms`: the wall clock."""

    def __init__(self, bulk: Bulk, lookup: Lookup, wall_ms: Callable[[], int]) -> None:
        self._bulk = bulk
        self._lookup = lookup
        self._wall_ms = wall_ms

    def settle(self, sent: Sequence[tuple[str, Sealed]], answers: list[Answer]) -> None:
        """What was `sent` to which index, and its answers, which become `older` where a newer life is elsewhere.

        Raises: Unreachable
        """
        born: dict[str, dict[str, int]] = {}
        for at, ((index, one), answer) in enumerate(zip(sent, answers, strict=True)):
            if answer.result == _CREATED and _may_have_another(one):
                born.setdefault(index, {})[one.id] = at
        fences = []
        for index, places in born.items():
            for id_, held in self._lookup.elsewhere(list(places), index).items():
                revision = sent[places[id_]][1].revision
                if held.revision > revision:
                    answers[places[id_]] = Answer(409, reason=f"current version [{held.revision}]")
                old = index if held.revision > revision else held.index
                fences.append(fence(old, id_, max(held.revision, revision), self._wall_ms()))
        self._bulk.send(fences)


def fence(index: str, id: str, revision: int, now_ms: int) -> bulk.Item:
    """What stands where a document up to this revision was, or would be written."""
    source = json.dumps({"searched": {"fence": now_ms}}).encode()
    return bulk.index(f"{index}-write", key(id), revision, source, equal=True)


def _may_have_another(sealed: Sealed) -> bool:
    try:
        made_ms = ids.made_ms(ids.job_id(sealed.id))
    except InvalidSpec:
        return True
    return made_ms is None or sealed.searched.accepted - made_ms >= _FRESH_MS
