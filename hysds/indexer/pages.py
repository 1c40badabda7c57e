"""All documents of a store, all records of a ledger, a page at a time, while both are at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hysds.core.document import document
from hysds.core.errors import Internal
from hysds.core.query import JobQuery
from hysds.core.searched import Sort
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.store import Store

PAGE = 200
"""Documents in memory at a time."""


def documents(store: Store, limit: int = PAGE) -> Iterator[Sequence[Mapping[str, Any]]]:
    """In the order in which jobs were accepted: that never changes, so a job that is there all the while comes once,
    whatever becomes of it meanwhile."""
    cursor = ""
    while True:
        query = JobQuery(sort=Sort.ACCEPTED, descending=False, cursor=cursor, limit=limit)
        page = store.search(query)
        yield page.documents
        cursor = page.cursor
        if not cursor:
            return


def ids(ledger: Ledger, limit: int = PAGE) -> Iterator[Sequence[str]]:
    """Of all records; one that is there all the while comes at least once."""
    cursor = ""
    while True:
        cursor, found = ledger.ids(cursor, limit)
        for start in range(0, len(found), limit):
            yield found[start : start + limit]
        if not cursor:
            return


def held(ledger: Ledger, wanted: Sequence[str]) -> Iterator[tuple[str, Kept | None]]:
    """What the ledger holds of each, in this order; one that it has forgotten meanwhile is left out, and None stands
    for a record that can't be read."""
    if not wanted:
        return
    try:
        found = zip(wanted, ledger.kept(wanted), strict=True)
    except Internal:
        if len(wanted) == 1:
            yield wanted[0], None
        else:
            for id_ in wanted:
                yield from held(ledger, [id_])
        return
    yield from ((id_, kept) for id_, kept in found if kept is not None)


def built(kept: Kept) -> Mapping[str, Any] | None:
    """The document of a record; None where none can be made of it."""
    try:
        return document(kept.record, kept.spec, kept.attempts, kept.error)
    except Exception:  # noqa: BLE001 - as the indexer does: one job that breaks the rules must not hold up all others
        return None
