"""What comes with time: wake, suspect, expire, leave, and the clock that leases run on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hysds.core.book import Book
from hysds.core.ledger_clock import CLOCK_CAP_MS, LedgerClock
from hysds.core.requests import Held, Standing
from hysds.core.status import Status
from unit.core.book_values import (
    LEASE_MS,
    NOW_MS,
    NOW_US,
    ONE,
    TWO,
    accept,
    bid,
    claim,
    end,
    item,
    pass_ms,
    renewal,
    started,
)


@given(st.lists(st.integers(min_value=1_000, max_value=10**16)))
def test_the_ledger_clock_never_goes_back_and_never_jumps(times_us: list[int]) -> None:
    """Whatever the server's clock does, a step moves it by 0 to the cap."""
    clock, last_ms = LedgerClock(), 0

    for now_us in times_us:
        clock.tick(now_us)
        assert 0 <= clock.ms - last_ms <= CLOCK_CAP_MS
        last_ms = clock.ms


_STEP = st.tuples(st.integers(0, 6_000), st.integers(-CLOCK_CAP_MS // 2, CLOCK_CAP_MS // 2))


@given(st.lists(_STEP, max_size=60))
def test_a_wall_clock_that_swings_is_counted_once(steps: list[tuple[int, int]]) -> None:
    """Off by up to half the cap to either side, it puts the ledger's clock ahead by the cap in all, however often.

    That holds between any two steps, as a lease may begin at any.
    """
    clock, true_ms, most_behind_ms = LedgerClock(), NOW_MS, 0
    clock.tick(NOW_MS * 1000)

    for passed_ms, off_ms in steps:
        true_ms += passed_ms
        clock.tick((true_ms + off_ms) * 1000)
        ahead_ms = clock.ms - (true_ms - NOW_MS)
        assert ahead_ms <= most_behind_ms + CLOCK_CAP_MS
        most_behind_ms = min(most_behind_ms, ahead_ms)


@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), st.lists(st.integers(0, CLOCK_CAP_MS), max_size=6)), max_size=20
    )
)
def test_jumps_back_and_forth_of_any_size_gain_the_cap_at_most(swings: list[tuple[int, list[int]]]) -> None:
    """Each goes as far as the one before it went the other way; ordinary steps lie between."""
    clock, true_ms, off_ms = LedgerClock(), 10**12, 0
    clock.tick(true_ms * 1000)

    for size_ms, passes_ms in swings:
        for direction in (1, -1):
            off_ms += direction * size_ms
            for passed_ms in (0, *passes_ms):
                true_ms += passed_ms
                clock.tick((true_ms + off_ms) * 1000)
        assert clock.ms <= true_ms - 10**12 + CLOCK_CAP_MS


def test_a_jump_back_costs_the_cap_once() -> None:
    """However far it goes: then the clock moves on."""
    clock = LedgerClock()
    clock.tick(NOW_US)
    back_us = NOW_US - 3_600_000_000
    clock.tick(back_us)

    clock.tick(back_us + CLOCK_CAP_MS * 1000)
    assert clock.ms == 0
    clock.tick(back_us + CLOCK_CAP_MS * 1000 + 700_000)
    assert clock.ms == 700


def test_an_outage_of_the_ledger_expires_nobody() -> None:
    """A day without an answer costs two seconds of each lease."""
    book, record = started()
    day_later_us = NOW_US + 86_400_000_000

    assert book.expire(10, day_later_us).answers == ()
    assert book.renew(renewal("A", Held(ONE, record.fence)), day_later_us).standings == (Standing.OK,)


def test_a_waiting_job_is_ready_from_when_it_was_due() -> None:
    """A late wake costs it no place."""
    book = Book()
    accept(book, item(wake_ms=NOW_MS + 1_000))

    early = book.wake(10, NOW_US + 999_000)
    woken = book.wake(10, NOW_US + 9_000_000)

    assert (early.answers, woken.answers) == ((), ((ONE, "job-queued"),))
    assert book.records[ONE].ready_ms == NOW_MS + 1_000
    assert [ready.jobs for ready in woken.ready] == [1]


def test_a_silent_owner_is_shown_offline_until_it_renews() -> None:
    """The status of the ledger stays started: the lease still holds."""
    book, record = started()
    now_us = pass_ms(book, LEASE_MS // 2)

    suspected = book.suspect(10, now_us)
    again = book.suspect(10, now_us)
    book.renew(renewal("A", Held(ONE, record.fence)), now_us)

    assert (suspected.answers, again.answers) == (((ONE, "job-started"),), ())
    assert [event.status for event in book.events[-2:]] == ["job-offline", "job-started"]


def test_a_lease_that_ran_out_sends_its_job_back_to_its_place() -> None:
    """The worker-lost budget falls by one; the late owner finds a notice about that lease, and
    a wake for the work."""
    book, record = started(lost_left=1)
    book.renew(renewal("A", Held(ONE, record.fence)), NOW_US)
    now_us = pass_ms(book, LEASE_MS)

    moved = book.expire(10, now_us)

    back = book.records[ONE]
    assert moved.answers == ((ONE, "job-queued"),)
    assert (back.lost_left, back.ready_ms, back.owner) == (0, record.ready_ms, "")
    assert book.floor.inboxes["A"] == (f"lost {ONE} {record.fence}", "wake")


def test_a_job_that_lost_its_last_worker_fails() -> None:
    """Or is revoked, where a cancel was asked."""
    book, _ = started(lost_left=0)
    accept(book, item(TWO, lost_left=0))
    claim(book, nonce="n2")
    book.cancel([TWO], NOW_US)

    moved = book.leave("A", NOW_US)

    assert moved.answers == ((ONE, "job-failed"), (TWO, "job-revoked"))
    assert book.records[ONE].reason == "worker-lost"
    assert "A" not in book.floor.workers


def test_an_unclaimed_job_past_its_ttl_fails_and_a_claim_ends_the_ttl() -> None:
    """ttl is about standing in a queue, not about running."""
    book = Book()
    accept(book, item(ONE, ttl_for_ms=1_000), item(TWO, ttl_for_ms=1_000))
    record = claim(book)
    book.release(ONE, record.fence, 0, "", NOW_US)

    moved = book.expire(10, NOW_US + 1_000_000)

    assert moved.answers == ((TWO, "job-failed"),)
    assert book.records[TWO].reason == "timeout"
    assert book.places.due == {}


def test_a_job_is_not_woken_past_its_deadline() -> None:
    """It fails as a timeout instead."""
    book = Book()
    accept(book, item(wake_ms=NOW_MS + 10, deadline_ms=NOW_MS + 20))

    assert book.wake(10, NOW_US + 20_000).answers == ()
    assert book.expire(10, NOW_US + 20_000).answers == ((ONE, "job-failed"),)


def test_a_call_does_a_bounded_amount_and_says_whether_more_is_left() -> None:
    """A script must not hold the server."""
    book, _ = started()
    accept(book, item(TWO))
    claim(book, nonce="n2")
    now_us = pass_ms(book, LEASE_MS)

    first, second = book.expire(1, now_us), book.expire(1, now_us)

    assert [(len(moved.answers), moved.more) for moved in (first, second)] == [(1, True), (1, False)]


def test_a_worker_that_was_silent_too_long_and_holds_nothing_is_forgotten() -> None:
    """Its inbox goes with it; one that still holds a lease stays."""
    book, record = started()
    book.claim(bid("B"), NOW_US)
    now_us = pass_ms(book, LEASE_MS - 1_000)
    book.renew(renewal("A", Held(ONE, record.fence)), now_us)
    now_us = pass_ms(book, 2_000, now_us)

    book.expire(10, now_us)

    assert list(book.floor.workers) == ["A"]


def test_ready_work_wakes_idle_workers_that_hear_it_before_any_bell() -> None:
    """Each slot is pledged once; jobs that nobody was woken for are answered as unheard."""
    book = Book()
    book.renew(renewal("A", slots=2), NOW_US)
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(3)]

    answer = book.accept([item(id) for id in ids], 10**9, NOW_US)

    assert [(ready.jobs, ready.unheard, ready.hearers) for ready in answer.ready] == [(3, 1, 1)]
    assert book.floor.inboxes["A"] == ("wake",)


def test_a_retry_takes_its_due_time_as_its_new_place() -> None:
    """It had its turn."""
    book, record = started()
    book.commit(end(record, Status.WAITING, fails="user:1", wake_ms=NOW_MS + 500), None, NOW_US)
    book.wake(10, NOW_US + 600_000)

    assert book.records[ONE].ready_ms == NOW_MS + 500
