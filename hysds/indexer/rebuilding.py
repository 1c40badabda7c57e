"""Making a store's documents again: from the archive those of ended jobs, from the ledger all that it knows.

Nothing is replaced by anything older, and every step may be repeated: a rebuild that was killed is started again, and
the system may be at work meanwhile. What neither archive nor ledger has is not made: `verify` tells what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hysds.core.differences import is_purge
from hysds.core.errors import NotInitialised
from hysds.core.generations import FIRST, Generations
from hysds.indexer import pages, projection
from hysds.ports.archive import Archive
from hysds.ports.indices import Indices
from hysds.ports.ledger import Ledger
from hysds.ports.store import DeadLetter, Document, Store, Writing, Written

_Step = Callable[[str, int], None]


@dataclass(slots=True)
class Made:
    """What a rebuild, or a copy, did. `read`: documents of the source."""

    read: int = 0
    written: int = 0
    held: int = 0
    """The store had this revision or a higher one."""
    refused: int = 0
    dropped: int = 0
    """Of generations whose indices were dropped: their time is over."""
    purged: int = 0
    """Of jobs that were purged since."""
    projected: int = 0
    """Records of the ledger that were brought to the store."""
    unread: list[str] = field(default_factory=list)
    """Places of the archive that can't be read."""
    reasons: list[str] = field(default_factory=list)
    """Why documents were refused; the first of them."""


_MOST_REASONS = 20


@dataclass(frozen=True, slots=True)
class Target:
    """What is made again. `indices`: None for a store that has none to be made."""

    store: Store
    ledger: Ledger
    indices: Indices | None = None

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        """The store's answers. Documents of generations that only a ledger which was lost knew bring their indices
        with them, and the ledger goes on from there.

        Raises: Unreachable
        """
        try:
            return projection.written(documents, self.store)
        except NotInitialised:
            if self.indices is None:
                raise
        for generation in sorted({one.get("generation", FIRST) for one in documents}):
            self.indices.init(generation, generation)
            self.ledger.roll(generation, 0)
        return projection.written(documents, self.store)


def from_archive(archive: Archive, target: Target, made: Made, step: _Step) -> None:
    """Write every archived document that the store lacks. It holds the ids of all purged jobs in memory.

    Raises: Unreachable
    """
    marks: dict[str, int] = {}
    for one in archive.read(lambda _: None):
        if is_purge(one):
            marks[one["id"]] = max(one["revision"], marks.get(one["id"], 0))
    generations = target.ledger.generations()
    for page in _paged(one for one in archive.read(made.unread.append) if not is_purge(one)):
        made.read += len(page)
        left = [one for one in page if one["id"] not in marks or one["revision"] > marks[one["id"]]]
        made.purged += len(page) - len(left)
        write(left, target, generations, made)
        step("archive", made.read)


def from_ledger(ledger: Ledger, store: Store, made: Made, step: _Step) -> None:
    """Bring the store to where every record is.

    Raises: Unreachable
    """
    for ids in pages.ids(ledger):
        done = projection.project(ids, ledger, store)
        made.projected += len(ids)
        made.written += done.written
        made.held += done.held
        made.refused += done.set_aside
        step("ledger", made.projected)


def write(
    documents: Sequence[Mapping[str, Any]], target: Target, generations: Generations, made: Made
) -> None:
    """Write documents from elsewhere; those of dropped generations are left out, those refused become dead letters.

    Raises: Unreachable
    """
    kept = [one for one in documents if not generations.is_dropped(one.get("generation", FIRST))]
    made.dropped += len(documents) - len(kept)
    letters = []
    for one, answer in zip(kept, target.write(kept), strict=True):
        made.written += answer.how is Writing.WRITTEN
        made.held += answer.how is Writing.OLDER
        if answer.how is Writing.REFUSED:
            made.refused += 1
            letters.append(DeadLetter(one["id"], one["revision"], answer.reason, target.ledger.now_ms()))
            if len(made.reasons) < _MOST_REASONS:
                made.reasons.append(f"job {one['id']}: {answer.reason}")
    if letters:
        target.store.set_aside(letters)


def _paged(documents: Iterator[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    page: list[dict[str, Any]] = []
    for one in documents:
        page.append(one)
        if len(page) >= pages.PAGE:
            yield page
            page = []
    if page:
        yield page
