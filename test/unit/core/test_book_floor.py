"""Orders to drain, the floor as it is seen, and where a job stands; the contract suite holds every ledger to more."""

from __future__ import annotations

from dataclasses import replace

from hysds.core.book import Book
from hysds.core.floor_requests import Drain, Fit
from hysds.core.record import worker_name
from hysds.core.requests import Place
from unit.core.book_values import (
    LEASE_MS,
    NOW_MS,
    NOW_US,
    ONE,
    THREE,
    TWO,
    accept,
    bid,
    item,
    pass_ms,
    renewal,
    started,
)

_ORDER = Drain("A", "a new disk", within_ms=0)


def test_the_order_is_stamped_with_the_time_of_the_step() -> None:
    """Whatever the caller's clock said: how long jobs may go on counts from then."""
    book = Book()

    told = book.drain(replace(_ORDER, since_ms=5), NOW_US)

    assert told == ()
    assert book.floor.drain_of("A/9f") == replace(_ORDER, since_ms=NOW_MS)


def test_the_announced_name_counts_and_not_the_incarnation_s() -> None:
    """An incarnation's name is cut where the worker's is long: once announced, it is known whole."""
    book = Book()
    said = renewal("cut-name/9f")
    book.renew(
        replace(said, announcement=replace(said.announcement, name="cut-name-that-was-longer")), NOW_US
    )

    book.drain(Drain("cut-name-that-was-longer"), NOW_US)
    book.drain(Drain("cut-name"), NOW_US)

    order = book.floor.drain_of("cut-name/9f")
    assert order is not None
    assert order.name == "cut-name-that-was-longer"
    assert worker_name("cut-name/9f") == "cut-name"


def test_a_drain_wakes_others_only_for_what_its_worker_was_woken_for() -> None:
    """A worker that nothing was pledged to leaves nothing behind."""
    book = Book()
    book.renew(renewal("A"), NOW_US)
    accept(book, item(ONE))
    book.claim(bid("A"), NOW_US)
    book.renew(renewal("B"), NOW_US)

    book.drain(_ORDER, NOW_US)

    assert book.floor.inboxes.get("B") is None
    assert book.floor.inboxes["A"] == ("wake", "drain")


def test_an_undrained_worker_is_woken_once() -> None:
    """An order that is taken back twice was taken back once."""
    book = Book()
    book.renew(renewal("A"), NOW_US)
    book.drain(_ORDER, NOW_US)

    assert (book.undrain("A", NOW_US), book.undrain("A", NOW_US)) == (True, False)
    assert book.floor.inboxes["A"] == ("drain", "wake")


def test_looking_does_not_move_the_ledgers_clock() -> None:
    """What an announcement has left is of now, and the next step counts the time that passed."""
    book = Book()
    book.renew(renewal("A"), NOW_US)

    later = book.worker_states(NOW_US + 1_500_000)[0].left_ms
    much_later = book.worker_states(NOW_US + 9_000_000)[0].left_ms

    assert (later, much_later) == (3 * LEASE_MS - 1_500, 3 * LEASE_MS - 2_000)
    assert book.clock.ms == 0


def test_a_place_counts_what_comes_before_in_time_priority_and_name() -> None:
    """Ties go by id, as claims do."""
    book, running = started()
    accept(book, item(TWO), item(THREE, shape="2s"))

    assert book.place(running.id, NOW_US) is None
    assert book.place(TWO, NOW_US) == Place(ahead=0, ready=2)
    assert book.place(THREE, NOW_US) == Place(ahead=1, ready=2)
    book.amend([THREE], "", 5, NOW_US)
    assert book.place(TWO, NOW_US) == Place(ahead=1, ready=2)


def test_a_reservation_shows_while_it_stands() -> None:
    """On the ledger's clock: then another host may be kept free."""
    book = Book()
    accept(book, item(ONE, shape="4s"))
    book.claim(bid(fit=Fit(empty=("4s",)), reserve_after_ms=0), NOW_US)

    first = book.place(ONE, NOW_US)
    now_us = pass_ms(book, LEASE_MS)
    last = book.place(ONE, now_us)

    assert first is not None
    assert last is not None
    assert (first.reserved_by, last.reserved_by) == ("A", "")
