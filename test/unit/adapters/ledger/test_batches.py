"""Long requests are cut into atomic parts, and their answers put together."""

from __future__ import annotations

from hysds.adapters.ledger import batches
from hysds.core.requests import MAX_BATCH, Moved, Ready


def test_parts_keep_the_order_and_the_bound() -> None:
    """Nothing is lost at the seams, and nothing makes no part."""
    items = list(range(2 * MAX_BATCH + 1))

    cut = list(batches.parts(items))

    assert [len(part) for part in cut] == [MAX_BATCH, MAX_BATCH, 1]
    assert [item for part in cut for item in part] == items
    assert list(batches.parts([])) == []


def test_the_answers_of_all_parts_are_one() -> None:
    """Jobs of one queue add up; who hears it is counted once, as last seen."""
    answers = iter(
        [
            Moved((("a", "job-queued"),), (Ready("gpu", 3, 2, 1), Ready("cpu", 1, 0, 4))),
            Moved((("b", "missing"),), (Ready("gpu", 2, 2, 2),)),
        ]
    )

    moved = batches.moved(["x"] * (MAX_BATCH + 1), lambda part: next(answers))

    assert moved.answers == (("a", "job-queued"), ("b", "missing"))
    assert moved.ready == (Ready("cpu", 1, 0, 4), Ready("gpu", 5, 4, 2))
