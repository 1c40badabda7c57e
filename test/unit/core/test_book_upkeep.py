"""Confirming, forgetting, touching and the audit; and whatever anyone does, the sets follow the records."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from hysds.core.book import Book
from hysds.core.requests import Commit, Held
from hysds.core.status import Status
from unit.core.book_values import (
    DAY_MS,
    NOW_MS,
    NOW_US,
    ONE,
    THREE,
    TWO,
    accept,
    bid,
    end,
    item,
    keyed,
    renewal,
    started,
)


def test_a_record_is_forgotten_only_when_its_last_revision_is_in_the_store() -> None:
    """The store is a projection: until it has the document the ledger keeps the truth."""
    book, record = started()
    book.commit(end(record), None, NOW_US)
    last = book.records[ONE].revision

    early = (book.confirm(ONE, last - 1, 1_000, NOW_US), book.forget([ONE], NOW_US))
    confirmed = book.confirm(ONE, last, 1_000, NOW_US)

    assert (*early, confirmed) == (False, (), True)
    assert book.retirable(10, NOW_US + 999_000) == ()
    assert book.retirable(10, NOW_US + 1_000_000) == (ONE,)
    assert book.forget([ONE], NOW_US + 1_000_000) == (ONE,)
    assert (book.records, book.specs, book.attempts, book.retire) == ({}, {}, {}, {})


def test_a_live_job_is_never_confirmed_nor_forgotten() -> None:
    """Only what has ended can go."""
    book, record = started()

    assert not book.confirm(ONE, record.revision, 0, NOW_US)
    assert book.forget([ONE, TWO], NOW_US) == ()


def test_a_touched_record_must_be_confirmed_anew() -> None:
    """After a failover the store may hold a later future: the revision goes above it."""
    book, record = started()
    book.commit(end(record), None, NOW_US)
    book.confirm(ONE, book.records[ONE].revision, 0, NOW_US)

    revision = book.touch(ONE, NOW_US + 10**9, NOW_US)

    assert revision == NOW_US + 10**9 + 1
    assert (book.records[ONE].revision, book.records[ONE].status) == (revision, Status.COMPLETED)
    assert (book.forget([ONE], NOW_US), book.touch(TWO, 1, NOW_US)) == ((), 0)


def test_the_audit_mends_what_contradicts_the_record_and_says_so() -> None:
    """A job in no set would wait for ever; one in two might run twice."""
    book = Book()
    accept(book, item())
    right = dict(book.places.ready)
    book.places.ready = {("r", "1s"): [(3, ONE)]}
    book.places.leases[ONE] = 5

    said = book.audit(ONE, NOW_US)

    assert said.startswith("stood at ready r 1s 3, lease 5, belongs at ready q 1s")
    assert (book.places.ready, book.places.leases) == (right, {})
    assert book.audit(ONE, NOW_US) == ""


def test_the_audit_drops_what_no_record_stands_behind() -> None:
    """Such an entry is nobody's job."""
    book = Book()
    book.places.due[ONE] = 7

    assert book.audit(ONE, NOW_US) == "stood at due 7, belongs at nowhere"
    assert book.places.due == {}


_NAMES = (
    "accept", "accept", "claim", "claim", "renew", "commit", "commit", "release", "cancel", "wake", "suspect", "expire",
    "leave", "amend", "forget", "touch",
)  # fmt: skip
_STEPS = st.tuples(
    st.sampled_from(_NAMES),
    st.sampled_from([ONE, TWO, THREE]),
    st.sampled_from("AB"),
    st.integers(0, 4),
    st.sampled_from([1, 1_000, 900_000, 2_000_000, 20_000_000]),
)


@given(st.lists(_STEPS, max_size=60))
@settings(max_examples=150, deadline=None)
def test_after_any_steps_every_job_stands_where_its_record_says(
    steps: list[tuple[str, str, str, int, int]],
) -> None:
    """The audit finds nothing, a fence and a revision never fall, and a terminal status never changes."""
    book, now_us = Book(), NOW_US
    for name, id, worker, number, later_us in steps:
        before, now_us = dict(book.records), now_us + later_us
        _take(book, name, id, worker, number, now_us)

        for known, old in before.items():
            new = book.records.get(known)
            assert new is None or new.fence >= old.fence
            assert new is None or new.revision >= old.revision
            assert new is None or not old.status.is_terminal or new.status is old.status
        assert [book.places.mend(id, book.records.get(id)) for id in (ONE, TWO, THREE)] == ["", "", ""]


def _take(book: Book, name: str, id: str, worker: str, number: int, now_us: int) -> None:
    record = book.records.get(id)
    fence = record.fence - (number == 4) if record else 1
    later_ms = now_us // 1000 + 1_500 if number % 2 else 0
    goal = (Status.COMPLETED, Status.FAILED, Status.QUEUED, Status.WAITING, Status.REVOKED)[number]
    steps: dict[str, Callable[[], object]] = {
        "accept": lambda: book.accept(
            [keyed(id, wake_ms=later_ms, ttl_for_ms=number * 1_000, may_repeat=number > 2)], DAY_MS, now_us
        ),
        "claim": lambda: book.claim(bid(worker, str(number)), now_us),
        "renew": lambda: book.renew(renewal(worker, Held(id, fence, str(number)), given_up=("1",)), now_us),
        "commit": lambda: book.commit(Commit(id, fence, goal, wake_ms=later_ms), None, now_us),
        "release": lambda: book.release(id, fence, number * 500, "", now_us),
        "cancel": lambda: book.cancel([id], now_us),
        "wake": lambda: book.wake(number, now_us),
        "suspect": lambda: book.suspect(number, now_us),
        "expire": lambda: book.expire(number, now_us),
        "leave": lambda: book.leave(worker, now_us),
        "amend": lambda: book.amend([id], "r" if number % 2 else "", number, now_us),
        "forget": lambda: (
            record and book.confirm(id, record.revision, 0, now_us),
            book.forget([id], now_us),
        ),
        "touch": lambda: book.touch(id, NOW_MS, now_us),
    }
    steps[name]()
