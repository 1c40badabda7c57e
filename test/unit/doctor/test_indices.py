"""What doctor says of the store's indices."""

from __future__ import annotations

from hysds.core.generations import Generations
from hysds.doctor import indices
from hysds.ports.indices import Index, Resource

_WORKERS = Index(Resource.WORKER, 1, 5, 10**12, 0, 0)


def _job(generation: int, size_bytes: int = 10) -> Index:
    return Index(Resource.JOB, generation, 1, size_bytes, 0, 0)


def _codes(known: Generations, *found: Index) -> list[str]:
    return [one.code for one in indices.check(known, [_WORKERS, *found], 1_000)]


def test_indices_that_are_what_the_ledger_says_are_in_order() -> None:
    """The one of workers does not roll over; a new store has none."""
    assert _codes(Generations(1, 2), _job(1, 5_000), _job(2)) == []
    assert _codes(Generations(1, 1)) == []


def test_an_index_that_is_gone_is_told() -> None:
    """Somebody dropped it behind our back, or a node was lost with it."""
    assert _codes(Generations(1, 3), _job(1), _job(3)) == ["store.missing-index"]


def test_what_no_reconciler_does_is_told() -> None:
    """Old indices that stay, and current ones that grow."""
    assert _codes(Generations(2, 2), _job(1), _job(2, 2_000)) == ["store.dropping", "store.not-rolled"]
