"""Which jobs an act is about: named ones, or all that match a query, a page of the store at a time.

A walk goes by the time of acceptance, the newest first: what changes moves no job out of its place, so none is skipped
that still matches when its turn comes, and what is accepted meanwhile is not among it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hysds.core import ids
from hysds.core.control import CANDIDATES, Verb
from hysds.core.query import JobQuery
from hysds.core.requests import MAX_BATCH
from hysds.core.searched import Sort
from hysds.ports.store import Found, Store


class Selection(Protocol):
    """Jobs in parts of at most MAX_BATCH. `total`: how many there are in all."""

    @property
    def total(self) -> int: ...

    def parts(self) -> Iterator[Sequence[str]]: ...


@dataclass(frozen=True, slots=True)
class Named:
    """Jobs by their ids, in order."""

    ids: Sequence[str]

    @property
    def total(self) -> int:
        return len(self.ids)

    def parts(self) -> Iterator[Sequence[str]]:
        """Raises: Refused for an id that can't be one, before the first part."""
        wanted = [ids.job_id(id_) for id_ in self.ids]
        for start in range(0, len(wanted), MAX_BATCH):
            yield wanted[start : start + MAX_BATCH]


class Matching:
    """Jobs that match a query, counted now. `is_everything`: every job that the act could be about is among them."""

    def __init__(self, store: Store, verb: Verb, query: JobQuery) -> None:
        self._store = store
        self._query = replace(
            query,
            status=query.status or CANDIDATES[verb],
            sort=Sort.ACCEPTED,
            descending=True,
            cursor="",
            limit=MAX_BATCH,
            facets=(),
        )
        self._first = store.find(self._query)
        self.total = self._first.total
        everything = JobQuery(status=CANDIDATES[verb], limit=0)
        self.is_everything = 0 < store.find(everything).total <= self.total

    def parts(self) -> Iterator[Sequence[str]]:
        found: Found = self._first
        while True:
            if found.jobs:
                yield [id_ for id_, _ in found.jobs]
            if not found.cursor:
                return
            found = self._store.find(replace(self._query, cursor=found.cursor))
