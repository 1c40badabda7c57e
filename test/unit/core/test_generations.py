"""Generations of the store's indices only go up; a rule that is left out of the book is found."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core.admission import Needs
from hysds.core.book import Book
from hysds.core.generations import Generations
from hysds.core.requests import Acceptance, Answer
from unit.core.book_values import NOW_US, ONE, TWO, accept, item

_NUMBERS = st.integers(0, 9)


class GoesBack(Book):
    """A reconciler that is late puts the number back."""

    def _rolled(self, current: int, oldest: int) -> Generations:
        return Generations(max(self.generations.oldest, oldest), current)


class GivesUpAll(Book):
    """The current generation is given up with the others."""

    def _rolled(self, current: int, oldest: int) -> Generations:
        return Generations(oldest, max(self.generations.current, current))


class ForgetsWhenItIsTold(Book):
    """Jobs go on being born where they were."""

    def _admit(self, item: Acceptance, needs: Needs, now_us: int) -> Answer:
        held, self.generations = self.generations, Generations()
        try:
            return super()._admit(item, needs, now_us)
        finally:
            self.generations = held


def _wrong(book: Book, rolls: Sequence[tuple[int, int]]) -> str:
    """What is wrong after these calls, "" where nothing is."""
    before = book.generations
    for current, oldest in rolls:
        now = book.roll(current, oldest, NOW_US)
        if now.current < before.current or now.oldest < before.oldest:
            return "a number went down"
        before = now
    accept(book, item(TWO))
    born = book.records[TWO].generation
    return "born in no index" if book.generations.is_dropped(born) or born > before.current else ""


@given(st.lists(st.tuples(_NUMBERS, _NUMBERS), max_size=6))
def test_neither_number_goes_down_and_a_new_job_has_an_index(rolls: list[tuple[int, int]]) -> None:
    """Whatever reconcilers ask for, in whatever order."""
    assert _wrong(Book(), rolls) == ""


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (GoesBack, "a number went down"),
        (GivesUpAll, "born in no index"),
        (ForgetsWhenItIsTold, "born in no index"),
    ],
)
def test_a_rule_that_is_left_out_is_found(broken: type[Book], says: str) -> None:
    """By calls that the whole book stands."""
    rolls = [(3, 3), (2, 1)] if broken is not GivesUpAll else [(3, 5)]

    assert _wrong(Book(), rolls) == ""
    assert _wrong(broken(), rolls) == says


def test_the_generation_of_a_record_is_that_of_its_birth() -> None:
    """Later steps keep it."""
    book = Book()
    accept(book, item(ONE))
    book.roll(2, 2, NOW_US)
    book.cancel([ONE], NOW_US)

    assert book.records[ONE].generation == 1
    assert book.generations.is_dropped(1)
