"""What a worker asks of the book: claim, renew, commit, release."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hysds.core.book import Book
from hysds.core.floor_requests import Fit
from hysds.core.record import FOREVER
from hysds.core.requests import Committing, Held, Standing
from hysds.core.status import Status
from unit.core.book_values import (
    LEASE_MS,
    NOW_MS,
    NOW_US,
    ONE,
    THREE,
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


def test_jobs_are_claimed_by_priority_then_time_then_id() -> None:
    """One order over all queues and shapes of a worker."""
    book = Book()
    accept(book, item(THREE, priority=5), item(TWO, priority=5, queue="r", shape="2s"))
    accept(book, item(ONE, priority=5), now_us=NOW_US + 1_000)
    late = "00000000-0000-4000-8000-000000000000"
    accept(book, item(late, priority=6), now_us=NOW_US + 9_000)
    fit = Fit(now=("1s", "2s"))

    leases = [book.claim(bid(nonce=str(turn), fit=fit), NOW_US + 10_000).lease for turn in range(5)]

    assert [lease and lease.record.id for lease in leases] == [late, TWO, THREE, ONE, None]


def test_a_claim_without_work_tells_shapes_never_seen_and_the_best_that_did_not_fit() -> None:
    """So the worker learns what waits, and how long."""
    book = Book()
    accept(book, item(ONE, shape="8s"), item(TWO, shape="3s"))

    claimed = book.claim(bid(fit=Fit(now=("1s",), empty=("8s",))), NOW_US + 7_000)

    assert claimed.lease is None
    assert claimed.unknown == ("3s",)
    assert claimed.head is not None
    assert (claimed.head.id, claimed.head.shape, claimed.head.age_ms) == (ONE, "8s", 7)


def test_a_nonce_repeated_while_its_lease_lives_returns_that_lease() -> None:
    """The answer was lost: the worker asks again and gets the same job, not a second one."""
    book = Book()
    accept(book, item(ONE), item(TWO))

    assert claim(book) == claim(book)
    assert book.records[TWO].status is Status.QUEUED


def test_a_nonce_repeated_after_its_lease_claims_anew() -> None:
    """A dead lease is never handed out."""
    book, first = started()
    book.leave("A", NOW_US)

    second = claim(book)

    assert second.fence > first.fence
    assert book.records[ONE].status is Status.STARTED


def test_fences_grow_when_the_wall_clock_steps_back() -> None:
    """max(last + 1, now): neither the clock nor a failover can repeat one."""
    book, first = started()
    book.release(ONE, first.fence, 0, "", NOW_US)

    assert claim(book, now_us=NOW_US - 10**9).fence == first.fence + 1


def test_nothing_is_claimed_from_a_paused_queue() -> None:
    """Jobs still enter it; resuming answers how much is ready."""
    book = Book()
    book.pause("q", "", NOW_US)
    accept(book, item())

    assert book.claim(bid(), NOW_US).lease is None
    assert [ready.jobs for ready in book.resume("q", NOW_US).ready] == [1]
    assert claim(book).id == ONE


def test_an_entry_that_contradicts_its_record_is_mended_and_never_handed_out() -> None:
    """A failover may leave one; the claim takes the next good job."""
    book = Book()
    accept(book, item(ONE), item(TWO))
    book.places.ready["q", "1s"].insert(0, (0, THREE))
    book.places.ready["q", "1s"].insert(1, (1, TWO))

    assert claim(book).id == ONE
    assert [id for _, id in book.places.ready["q", "1s"]] == [TWO]


def test_a_renewal_is_answered_for_each_lease_by_its_fence() -> None:
    """Lost and cancel name a lease, never an id; a lease that was not listed is named."""
    book, record = started()
    accept(book, item(TWO))
    other = claim(book, nonce="n2")
    book.cancel([ONE], NOW_US)

    answer = book.renew(renewal("A", Held(ONE, record.fence), Held(ONE, record.fence - 1)), NOW_US)

    assert answer.standings == (Standing.CANCEL, Standing.LOST)
    assert answer.unlisted == ((TWO, other.fence),)


def test_a_renewal_says_whether_work_is_ready_that_fits() -> None:
    """With every bell lost nothing waits longer than one renewal."""
    book = Book()

    before = book.renew(renewal(), NOW_US).ready
    accept(book, item())

    assert (before, book.renew(renewal(), NOW_US).ready) == (False, True)
    assert not book.renew(renewal(fit=Fit(never=("1s",))), NOW_US).ready


def test_a_renewal_makes_a_revision_only_where_something_shows() -> None:
    """Two seconds after two seconds a lease gets longer; the stream hears of phases, not of that."""
    book, record = started()
    held = Held(ONE, record.fence, "execute")

    events = []
    for _ in range(3):
        book.renew(renewal("A", held), NOW_US)
        events.append(len(book.events))

    assert events == [3, 3, 3]
    assert book.records[ONE].phase == "execute"


def test_a_lease_past_its_time_but_not_taken_is_still_good() -> None:
    """Only the fence decides, never the clock."""
    book, record = started()
    now_us = pass_ms(book, 2 * LEASE_MS)

    assert book.renew(renewal("A", Held(ONE, record.fence)), now_us).standings == (Standing.OK,)
    assert book.expire(10, now_us).answers == ()


def test_the_lease_of_a_given_up_nonce_goes_back_at_no_cost() -> None:
    """Nobody ever used it: no attempt is listed, no budget falls, and the queue is answered."""
    book, record = started()

    answer = book.renew(renewal("A", given_up=("n1",)), NOW_US)

    assert [ready.jobs for ready in answer.woken] == [1]
    assert (book.records[ONE].status, book.records[ONE].lost_left) == (Status.QUEUED, record.lost_left)
    assert book.attempts == {}


def test_the_repeat_of_the_last_commit_is_answered_again_whatever_came_since() -> None:
    """The client that got no answer learns that it was done, even after another claim."""
    book, first = started()
    commit = end(first, Status.QUEUED, fails="user:1")
    book.commit(commit, None, NOW_US)
    claim(book, "B")

    assert book.commit(commit, None, NOW_US).how is Committing.AGAIN
    assert book.records[ONE].owner == "B"


@pytest.mark.parametrize(
    "status", [Status.COMPLETED, Status.FAILED, Status.REVOKED, Status.QUEUED, Status.WAITING]
)
def test_a_stale_fence_commits_nothing(status: Status) -> None:
    """Whatever the zombie wants, its lease is not the live one."""
    book, first = started()
    book.leave("A", NOW_US)
    live = claim(book, "B")

    assert book.commit(end(first, status), None, NOW_US).how is Committing.LOST
    assert book.records[ONE] == live


@pytest.mark.parametrize(
    ("wanted", "ends"),
    [
        (Status.COMPLETED, Status.COMPLETED),
        (Status.FAILED, Status.REVOKED),
        (Status.QUEUED, Status.REVOKED),
        (Status.WAITING, Status.REVOKED),
        (Status.REVOKED, Status.REVOKED),
    ],
)
def test_once_asked_a_cancel_turns_every_end_but_completed_into_revoked(wanted: Status, ends: Status) -> None:
    """No retry, no failure: the user asked for an end."""
    book, record = started()
    book.cancel([ONE], NOW_US)

    answer = book.commit(end(record, wanted), None, NOW_US)

    assert (answer.how, answer.status) == (Committing.DONE, ends.value)


def test_a_revocation_that_nobody_asked_for_is_refused() -> None:
    """The job keeps its lease."""
    book, record = started()

    assert book.commit(end(record, Status.REVOKED), None, NOW_US).how is Committing.NOT_ASKED
    assert book.records[ONE] == record


def test_a_next_attempt_beyond_the_deadline_is_refused() -> None:
    """A started job's deadline is its keeper's; the ledger only refuses to wait past it."""
    book, record = started(deadline_ms=NOW_MS + 1_000)

    late = book.commit(end(record, Status.WAITING, wake_ms=NOW_MS + 1_001), None, NOW_US)
    timely = book.commit(end(record, Status.WAITING, wake_ms=NOW_MS + 1_000), None, NOW_US)

    assert (late.how, timely.how) == (Committing.TOO_LATE, Committing.DONE)


def test_a_commit_may_carry_the_bid_for_the_next_job() -> None:
    """One step ends one job and starts another."""
    book, record = started()
    accept(book, item(TWO))

    answer = book.commit(end(record), bid(nonce="n2"), NOW_US)

    assert answer.claimed is not None
    assert answer.claimed.lease is not None
    assert answer.claimed.lease.record.id == TWO


def test_a_commit_repeated_with_its_bid_returns_the_lease_that_it_won() -> None:
    """The one answer that was lost held both: neither is done twice."""
    book, record = started()
    accept(book, item(TWO), item(THREE))

    first, again = (book.commit(end(record), bid(nonce="n2"), NOW_US) for _ in range(2))

    assert (first.how, again.how) == (Committing.DONE, Committing.AGAIN)
    assert first.claimed == again.claimed
    assert book.records[THREE].status is Status.QUEUED


def test_a_released_job_keeps_its_place_and_burns_only_the_preempted_budget() -> None:
    """Drain and preemption are not the job's fault."""
    book, record = started(preempt_left=1)

    book.release(ONE, record.fence, 0, "", NOW_US + 5_000_000)

    back = book.records[ONE]
    assert (back.status, back.ready_ms, back.preempt_left) == (Status.QUEUED, record.ready_ms, 0)
    assert (back.lost_left, back.fails) == (record.lost_left, record.fails)
    assert [attempt.how for attempt in book.attempts[ONE]] == ["released"]


def test_a_release_beyond_the_preempted_budget_fails_the_job() -> None:
    """And one without a limit never does."""
    book, record = started(preempt_left=0)
    endless, kept = started(preempt_left=FOREVER)

    book.release(ONE, record.fence, 0, "", NOW_US)
    endless.release(ONE, kept.fence, 0, "", NOW_US)

    assert (book.records[ONE].status, book.records[ONE].reason) == (Status.FAILED, "preempted")
    assert endless.records[ONE].preempt_left == FOREVER


def test_a_delayed_release_waits_and_then_takes_its_old_place() -> None:
    """The delay does not send it to the back of the queue."""
    book, record = started()
    book.release(ONE, record.fence, 3_000, "", NOW_US)

    assert book.places.due == {ONE: NOW_MS + 3_000}
    book.wake(10, NOW_US + 3_000_000)

    assert book.records[ONE] == replace(
        book.records[ONE], status=Status.QUEUED, ready_ms=record.ready_ms, wake_ms=0
    )


def test_a_host_is_kept_free_for_an_old_job_that_needs_it_empty() -> None:
    """It takes nothing that would delay that job; another host takes the small one."""
    book = Book()
    accept(book, item(ONE, shape="8s"))
    accept(book, item(TWO), now_us=NOW_US + 1_000_000)
    fit = Fit(now=("1s",), empty=("8s",))
    small = bid("A", fit=fit, reserve_after_ms=1_000)

    kept = book.claim(small, NOW_US + 2_000_000)
    other = book.claim(bid("B", fit=fit, reserve_after_ms=1_000), NOW_US + 2_000_000)
    empty = book.claim(bid("A", "n2", Fit(now=("1s", "8s"))), NOW_US + 3_000_000)

    assert (kept.lease, book.records[ONE].reserved_by) == (None, "")
    assert other.lease is not None
    assert other.lease.record.id == TWO
    assert empty.lease is not None
    assert empty.lease.record.id == ONE
    assert book.floor.workers["A"].reserved == ""


def test_a_reservation_is_dropped_when_its_job_is_gone() -> None:
    """The host is free for all again."""
    book = Book()
    accept(book, item(ONE, shape="8s"))
    accept(book, item(TWO), now_us=NOW_US + 1_000)
    fit = Fit(now=("1s",), empty=("8s",))
    book.claim(bid(fit=fit, reserve_after_ms=0), NOW_US + 2_000)
    assert book.floor.workers["A"].reserved == ONE

    book.cancel([ONE], NOW_US + 3_000)

    assert claim(book, now_us=NOW_US + 4_000).id == TWO
