"""The published job types as one process sees them."""

from __future__ import annotations

import pytest

from hysds.adapters.ledger.catalog_memory import MemoryCatalogShelf
from hysds.core import catalog
from hysds.core.catalog import Catalog, JobType
from hysds.core.errors import Conflict
from hysds.orchestrator.job_types import FRESH_S, JobTypes

ONE = catalog.catalog([JobType("job:one")])
TWO = catalog.catalog([JobType("job:two")])


class _Counting(MemoryCatalogShelf):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def digest(self) -> str:
        self.asked.append("digest")
        return super().digest()

    def published(self) -> Catalog | None:
        self.asked.append("published")
        return super().published()


class _Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_thousand_submissions_ask_once() -> None:
    """And once more after the interval, for the digest alone."""
    shelf, clock = _Counting(), _Clock()
    shelf.publish(ONE, "")
    types = JobTypes(shelf, clock)

    assert {types.current().digest for _ in range(1000)} == {ONE.digest}
    assert shelf.asked == ["digest", "published"]
    clock.now_s = FRESH_S + 0.1
    assert types.current() == ONE
    assert shelf.asked == ["digest", "published", "digest"]


def test_what_another_process_published_is_in_force_after_the_interval() -> None:
    """Not before: that is what the interval costs."""
    shelf, clock = MemoryCatalogShelf(), _Clock()
    shelf.publish(ONE, "")
    types = JobTypes(shelf, clock)
    types.current()

    shelf.publish(TWO, ONE.digest)

    assert types.current() == ONE
    assert types.latest() == TWO
    clock.now_s = FRESH_S + 0.1
    assert types.current() == TWO


def test_without_a_published_catalogue_there_are_no_types() -> None:
    """All specs then say all themselves."""
    assert JobTypes(MemoryCatalogShelf(), _Clock()).current() == catalog.EMPTY


def test_of_two_operators_at_once_one_is_told_to_repeat() -> None:
    """The other one published between its look and its change."""
    shelf, clock = MemoryCatalogShelf(), _Clock()

    def late(known: Catalog) -> Catalog:
        JobTypes(shelf, clock).change(lambda _: ONE)
        return TWO

    with pytest.raises(Conflict, match="repeat"):
        JobTypes(shelf, clock).change(late)
    assert shelf.published() == ONE
