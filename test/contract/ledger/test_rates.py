"""Rates: how many jobs of a key start in a time (rule 22)."""

from __future__ import annotations

from contract.ledger.conftest import Clock
from contract.ledger.sample import bid, end, job, take
from contract.ledger.test_limits import accept, reason
from hysds.core.limit_keys import Limit, Rate, RateState
from hysds.core.status import Status
from hysds.ports.ledger import Ledger

_SLOW = (Rate("key:a", 0.5, 1),)


def starts(ledger: Ledger) -> int:
    """How many jobs a worker that takes whatever it gets starts now."""
    count = 0
    while (claimed := ledger.claim(bid())).lease is not None or claimed.more:
        count += claimed.lease is not None
    return count


def test_jobs_over_a_rate_wait_for_its_next_token(ledger: Ledger, clock: Clock) -> None:
    """One token each two seconds; a wake at its time calls the next in line."""
    ledger.wake(1)
    accept(ledger, *(jobs := [job(rates=_SLOW) for _ in range(3)]))
    assert [reason(ledger, one) for one in jobs] == ["", "rate key:a", "rate key:a"]

    assert starts(ledger) == 1
    clock.advance(1_999)
    assert ledger.wake(10).answers == ()
    clock.advance(1)
    assert ledger.wake(10).answers == ((jobs[1].id, "job-queued"),)
    assert starts(ledger) == 1
    assert ledger.limits(["key:a"])[0].rate == RateState(2_000_000, 1, 0, 2_000, 1)


def test_a_bucket_holds_its_burst_after_a_pause(ledger: Ledger, clock: Clock) -> None:
    """And no more, however long the pause was."""
    ledger.wake(1)
    accept(ledger, *(job(rates=(Rate("key:a", 0.5, 3),)) for _ in range(20)))
    assert starts(ledger) == 3
    for _ in range(30):
        clock.advance(2_000)

        ledger.wake(100)

    assert starts(ledger) == 3


def test_the_bucket_of_a_high_rate_holds_what_comes_in_a_second(ledger: Ledger, clock: Clock) -> None:
    """As that is how often somebody looks."""
    ledger.wake(1)
    accept(ledger, *(job(rates=(Rate("key:a", 20, 1),)) for _ in range(100)))
    assert starts(ledger) == 20
    for _ in range(3):
        clock.advance(1_000)
        ledger.wake(100)

        assert starts(ledger) == 20


def test_a_token_is_spent_at_the_start_and_by_nobody_else(ledger: Ledger, clock: Clock) -> None:
    """Those who wait cost nothing when they are cancelled; a retry needs a token of its own."""
    ledger.wake(1)
    accept(ledger, *(jobs := [job(rates=_SLOW) for _ in range(40)]))
    ledger.cancel([one.id for one in jobs[:38]])
    lease = take(ledger)
    assert lease.record.id == jobs[38].id

    ledger.commit(end(lease, Status.QUEUED, reason="user"))

    assert ledger.claim(bid()).lease is None
    assert reason(ledger, jobs[38]) == "rate key:a"
    clock.advance(2_000)
    ledger.wake(10)
    assert starts(ledger) == 1


def test_a_token_is_kept_while_a_place_is_missing(ledger: Ledger, clock: Clock) -> None:
    """A job that can't start takes none, so another key's full places cost no starts."""
    ledger.wake(1)
    full = (Limit("key:b", 1),)
    accept(ledger, job(limits=full))
    lease = take(ledger)
    accept(ledger, blocked := job(limits=full, rates=_SLOW), other := job(rates=_SLOW))
    assert reason(ledger, blocked) == "limit key:b"

    assert take(ledger).record.id == other.id

    ledger.commit(end(lease))
    assert reason(ledger, blocked) == "limit key:b"
    assert [state.waiting for state in ledger.limits(["key:b"])] == [0]
    assert ledger.limits(["key:a"])[0].rate == RateState(2_000_000, 1, 0, 2_000, 1)
    clock.advance(2_000)
    ledger.wake(10)
    assert take(ledger).record.id == blocked.id


def test_nothing_is_left_of_a_rate_that_nobody_needs_once_its_bucket_is_full(
    ledger: Ledger, clock: Clock
) -> None:
    """Until then a new job of the key waits, though no other is left."""
    ledger.wake(1)
    accept(ledger, job(rates=_SLOW))
    ledger.commit(end(take(ledger)))
    clock.advance(1_000)
    accept(ledger, late := job(rates=_SLOW))
    assert reason(ledger, late) == "rate key:a"
    ledger.cancel([late.id])

    clock.advance(1_000)
    ledger.wake(10)

    assert ledger.limits(["key:a"])[0].rate is None


def test_another_rate_holds_from_the_submission_that_names_it(ledger: Ledger, clock: Clock) -> None:
    """A slow one that becomes fast lets the waiting go soon."""
    ledger.wake(1)
    accept(ledger, *(jobs := [job(rates=(Rate("key:a", 0.001, 1),)) for _ in range(3)]))
    assert starts(ledger) == 1
    clock.advance(1_000)

    accept(ledger, job(rates=(Rate("key:a", 1, 1),)))

    clock.advance(1_000)
    ledger.wake(10)
    assert reason(ledger, jobs[1]) == ""
