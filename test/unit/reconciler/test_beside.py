"""A duty beside the rounds."""

from __future__ import annotations

import threading

import pytest

from hysds.core.errors import Unreachable
from hysds.reconciler.beside import Beside


def test_a_round_does_not_wait_for_it_and_hears_of_it_later() -> None:
    """One at a time; each is counted once."""
    gate = threading.Event()
    done: list[int] = []

    def duty() -> int:
        gate.wait()
        done.append(1)
        return 3

    beside = Beside(duty)
    while_it_runs = [beside() for _ in range(3)]
    gate.set()
    beside.wait(60)
    after = beside()
    beside.wait(60)

    assert (while_it_runs, after, done) == ([0, 0, 0], 3, [1, 1])


def test_what_it_raises_is_raised_in_the_next_round() -> None:
    """And the duty is tried again."""
    calls: list[int] = []

    def duty() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise Unreachable("ledger", "away")
        return 1

    beside = Beside(duty)
    assert beside() == 0
    beside.wait(60)
    with pytest.raises(Unreachable):
        beside()
    beside.wait(60)
    assert beside() == 1
    beside.wait(60)
