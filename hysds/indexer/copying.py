"""Copying what one store holds into another: documents of jobs, dead letters, and the chronicle of workers and events.

Revisions decide, as with every write: a copy may be repeated, be done while the system writes to the target already,
and never puts older over newer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hysds.core.chronicle_query import ChronicleQuery
from hysds.core.happenings import RESOURCES
from hysds.indexer import pages, rebuilding
from hysds.indexer.rebuilding import Made
from hysds.ports.chronicle import Chronicle
from hysds.ports.ledger import Ledger
from hysds.ports.store import Store, Writing

_MOST_LETTERS = 10_000


@dataclass(frozen=True, slots=True)
class End:
    """One end of a copy."""

    store: Store
    chronicle: Chronicle


def copy(source: End, target: End, ledger: Ledger, made: Made, step: Callable[[str, int], None]) -> int:
    """Copy all; answers how many documents of workers and events. The newest 10,000 dead letters go along.

    Raises: Unreachable
    """
    generations = ledger.generations()
    source.store.refresh()
    for page in pages.documents(source.store):
        made.read += len(page)
        rebuilding.write(page, target.store, ledger, generations, made)
        step("jobs", made.read)
    letters = source.store.dead_letters(_MOST_LETTERS)
    if letters:
        target.store.set_aside(letters)
    return sum(_chronicle(resource, source, target, made, step) for resource in RESOURCES)


def _chronicle(resource: str, source: End, target: End, made: Made, step: Callable[[str, int], None]) -> int:
    count, cursor = 0, ""
    while True:
        page = source.chronicle.search(ChronicleQuery(resource, limit=pages.PAGE, cursor=cursor))
        answers = target.chronicle.write(page.documents)
        count += sum(answer.how is Writing.WRITTEN for answer in answers)
        made.refused += sum(answer.how is Writing.REFUSED for answer in answers)
        step(f"{resource}s", count)
        cursor = page.cursor
        if not cursor:
            return count
