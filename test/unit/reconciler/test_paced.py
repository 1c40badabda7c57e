"""A duty that is not due in every round."""

from __future__ import annotations

from hysds.reconciler.paced import Paced
from hysds.testing import FakeClock


def test_it_is_done_at_the_first_call_and_then_once_an_interval() -> None:
    """However often it is called; what it answers is answered when it was done."""
    clock, calls = FakeClock(), list[int]()

    def duty() -> int:
        calls.append(1)
        return len(calls)

    paced = Paced(duty, 5, lambda: clock() / 1e6)
    answers = []
    for _ in range(11):
        answers.append(paced())
        clock.advance(1)

    assert answers == [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3]
