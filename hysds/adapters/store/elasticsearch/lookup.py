"""Documents by id, as they are this moment: a get sees every write that was answered, whatever was refreshed.

A document may lie in any generation of two resources. The indices are listed once; what is found in none of them is
looked for in those that came since.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from hysds.adapters.store.elasticsearch.names import JOBS, Names, key
from hysds.adapters.store.elasticsearch.server import Server

_MOST = 2_000
"""Places that one request looks at."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an index has under an id. `source` is None where it was not asked for, or is a fence."""

    index: str
    revision: int
    is_fence: bool
    source: dict[str, Any] | None


class Lookup:
    """Looks into all indices of jobs and tasks. Threads may share it: the list is replaced as a whole."""

    def __init__(self, server: Server, names: Names) -> None:
        self._server = server
        self._names = names
        self._known: tuple[str, ...] = ()

    def indices(self) -> tuple[str, ...]:
        """Those that there are now."""
        said = self._server.ask(
            "GET",
            f"/{self._names.patterns(*JOBS)}/_alias",
            params={"ignore_unavailable": "true", "allow_no_indices": "true", "filter_path": "*.aliases"},
        )
        found = sorted((name for name in said if self._names.of_index(name)), reverse=True)
        self._known = tuple(found)
        return self._known

    def held(self, ids: Sequence[str], with_source: bool = False) -> dict[str, Held]:
        """What is held of each that is held at all; of several, the highest revision."""
        known = self._known or self.indices()
        found = self._found(ids, known, with_source)
        missing = [id_ for id_ in ids if id_ not in found]
        if missing:
            new = set(self.indices()) - set(known)
            found |= self._found(missing, new, with_source)
        return found

    def _found(self, ids: Sequence[str], indices: Collection[str], with_source: bool) -> dict[str, Held]:
        by_key = {key(id_): id_ for id_ in ids}
        places = [{"_index": index, "_id": key_} for key_ in by_key for index in indices]
        filtered = {"_source": "true" if with_source else "searched.fence"}
        found: dict[str, Held] = {}
        for start in range(0, len(places), _MOST):
            said = self._server.ask("POST", "/_mget", {"docs": places[start : start + _MOST]}, filtered)
            for one in said["docs"]:
                id_ = by_key[one["_id"]]
                if one.get("found") and (id_ not in found or found[id_].revision < one["_version"]):
                    found[id_] = _held(one, with_source)
        return found


def _held(one: dict[str, Any], with_source: bool) -> Held:
    source = one.get("_source") or {}
    is_fence = "fence" in source.get("searched", {})
    return Held(one["_index"], one["_version"], is_fence, source if with_source and not is_fence else None)
