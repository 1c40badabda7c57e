"""What takes long is told of while it goes on."""

from __future__ import annotations

import threading

from hysds.lib import overdue


def test_what_takes_long_is_told_while_it_goes_on() -> None:
    """Before the block has ended."""
    is_told = threading.Event()
    with overdue.told(0, is_told.set):
        assert is_told.wait(60)


def test_what_has_ended_is_not_told() -> None:
    """The timer ends with the block, however that ends, and leaves no thread behind."""
    before = set(threading.enumerate())
    said: list[str] = []
    with overdue.told(3_600, lambda: said.append("late")):
        [timer] = set(threading.enumerate()) - before
    timer.join(60)

    assert (timer.is_alive(), said) == (False, [])
