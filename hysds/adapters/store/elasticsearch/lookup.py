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
from hysds.core.errors import Unreachable
from hysds.ports.indices import Resource

_MISSING = "index_not_found_exception"
_MOST = 2_000
"""Places that one request looks at."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an index has under an id. `source` is None where it was not asked for, or is a fence."""

    index: str
    revision: int
    is_fence: bool
    source: dict[str, Any] | None

    def is_below(self, other: Held) -> bool:
        """Whether the other is newer; at the same revision a fence is in the place of an earlier life's document."""
        return (self.revision, not self.is_fence) < (other.revision, not other.is_fence)


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
        ours = (name for name, told in said.items() if self._names.is_ours(name, told["aliases"]))
        self._known = tuple(sorted(ours, reverse=True))
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

    def elsewhere(self, ids: Sequence[str], index: str) -> dict[str, Held]:
        """What is held of these in other generations than that of `index`, fences left out."""
        if index not in self._known:
            self.indices()
        resource = _resource(self._names, index)
        kin = [one for one in self._known if one != index and _resource(self._names, one) is resource]
        return {id_: held for id_, held in self._found(ids, kin, False).items() if not held.is_fence}

    def _found(self, ids: Sequence[str], indices: Collection[str], with_source: bool) -> dict[str, Held]:
        by_key = {key(id_): id_ for id_ in ids}
        places = [{"_index": index, "_id": key_} for key_ in by_key for index in indices]
        filtered = {"_source": "true" if with_source else "searched.fence"}
        found: dict[str, Held] = {}
        for start in range(0, len(places), _MOST):
            said = self._server.ask("POST", "/_mget", {"docs": places[start : start + _MOST]}, filtered)
            for one in said["docs"]:
                _check(one)
                id_ = by_key[one["_id"]]
                if not one.get("found"):
                    continue
                seen = _held(one, with_source)
                if id_ not in found or found[id_].is_below(seen):
                    found[id_] = seen
        return found


def _resource(names: Names, index: str) -> Resource | None:
    of = names.of_index(index)
    return of[0] if of else None


def _check(one: dict[str, Any]) -> None:
    """An index that can't be looked into now (its shard starts, or it is closed) says nothing of what is in it."""
    error = one.get("error", {})
    if error and error.get("type") != _MISSING:
        why = f"{error.get('type')}: {error.get('reason')}"
        raise Unreachable("store", f"can't look into {one['_index']}: {why}")


def _held(one: dict[str, Any], with_source: bool) -> Held:
    source = one.get("_source") or {}
    is_fence = "fence" in source.get("searched", {})
    return Held(one["_index"], one["_version"], is_fence, source if with_source and not is_fence else None)
