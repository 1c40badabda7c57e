"""Copying what one store holds into another: documents of jobs, dead letters, and the chronicle of workers and events.

Revisions decide, as with every write: a copy may be repeated, be done while the system writes to the target already,
and never puts older over newer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hysds.core.chronicle_query import ChronicleQuery
from hysds.core.generations import FIRST, Generations
from hysds.core.happenings import EVENT, RESOURCES
from hysds.indexer import pages, projection, rebuilding
from hysds.indexer.rebuilding import Made, Target
from hysds.ports.chronicle import Chronicle
from hysds.ports.indices import Indices
from hysds.ports.ledger import Ledger
from hysds.ports.store import Document, Store, Writing

_MOST_LETTERS = 10_000


@dataclass(frozen=True, slots=True)
class End:
    """One end of a copy. `indices`: None for a store that has none to be made."""

    store: Store
    chronicle: Chronicle
    indices: Indices | None = None


def copy(source: End, target: End, ledger: Ledger, made: Made, step: Callable[[str, int], None]) -> int:
    """Copy all; answers how many documents of workers and events. The newest 10,000 dead letters go along.

    Raises: Unreachable
    """
    generations = ledger.generations()
    source.store.refresh()
    for page in pages.documents(source.store):
        made.read += len(page)
        rebuilding.write(page, Target(target.store, ledger, target.indices), generations, made)
        step("jobs", made.read)
    letters = source.store.dead_letters(_MOST_LETTERS)
    if letters:
        target.store.set_aside(letters)
    walk = _Walk(source.chronicle, target.chronicle, generations, made, step)
    return sum(walk.of(resource) for resource in RESOURCES)


@dataclass(frozen=True, slots=True)
class _Walk:
    """Over one chronicle, into another."""

    source: Chronicle
    target: Chronicle
    generations: Generations
    made: Made
    step: Callable[[str, int], None]

    def of(self, resource: str) -> int:
        """How many documents of a resource the target took."""
        count, cursor = 0, ""
        while True:
            page = self.source.search(ChronicleQuery(resource, limit=pages.PAGE, cursor=cursor))
            kept = [one for one in page.documents if not self._is_over(one)]
            self.made.dropped += len(page.documents) - len(kept)
            answers = projection.written(kept, self.target)
            count += sum(answer.how is Writing.WRITTEN for answer in answers)
            self.made.refused += sum(answer.how is Writing.REFUSED for answer in answers)
            self.step(f"{resource}s", count)
            cursor = page.cursor
            if not cursor:
                return count

    def _is_over(self, document: Document) -> bool:
        """A worker's document is of no generation."""
        return document.get("resource") == EVENT and self.generations.is_dropped(
            document.get("generation", FIRST)
        )
