"""Claim, renew, commit, release and what ends a lease (rules 2 to 9)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.ledger.conftest import Clock
from contract.ledger.sample import LEASE_MS, bid, end, held, job, renewal, started, status, take, won
from hysds.core.floor_requests import Fit
from hysds.core.requests import Committing, Head, Held, Moved, Standing
from hysds.core.status import Status
from hysds.ports.events import Events
from hysds.ports.ledger import Ledger


def test_the_best_job_is_the_most_urgent_then_the_oldest(ledger: Ledger, clock: Clock) -> None:
    """One order over all queues of a worker; equal times go by id."""
    old, twin = job(), job(queue="cpu")
    ledger.accept([twin, old])
    clock.advance(10)
    urgent = job(priority=9)
    ledger.accept([job(queue="other", priority=10), urgent])

    taken = [take(ledger, queues=("gpu", "cpu")).record.id for _ in range(3)]

    assert taken == [urgent.id, old.id, twin.id]


def test_a_claim_hands_out_a_lease_with_the_spec(ledger: Ledger, clock: Clock) -> None:
    """Its fence is a hybrid clock in µs; the record says who owns it and until when."""
    lease = started(ledger, item := job())

    record = lease.record
    assert (record.id, record.status, record.owner, lease.spec) == (item.id, Status.STARTED, "w1", item.spec)
    assert (record.fence, record.claims, record.lease_ms) == (clock.now_us, 1, LEASE_MS)


def test_fences_and_revisions_grow_when_the_clock_goes_back(ledger: Ledger, clock: Clock) -> None:
    """After a failover to a server with an earlier clock the first owner's late commit must still be stale."""
    first = started(ledger)
    ledger.release(first.record.id, first.record.fence)
    clock.advance(-3_600_000)
    second = take(ledger)

    assert second.record.fence > first.record.fence
    assert second.record.revision > first.record.revision
    assert ledger.commit(end(first)).how is Committing.LOST


def test_a_repeated_nonce_gets_its_live_lease_again_and_no_dead_one(ledger: Ledger) -> None:
    """The answer was lost: the same bid again. When that lease has ended it claims anew."""
    ledger.accept([job(), job()])
    wish = bid()
    first = won(ledger.claim(wish))

    assert won(ledger.claim(wish)) == first
    ledger.commit(end(first))
    assert won(ledger.claim(wish)).record.id != first.record.id


def test_a_renewal_takes_back_leases_of_nonces_that_were_given_up(ledger: Ledger) -> None:
    """Nobody ever saw that lease, so nothing is burned, and the job is ready at once."""
    ledger.accept([item := job(lost_left=0, preempt_left=0)])
    ledger.claim(bid(nonce="never answered"))

    renewed = ledger.renew(renewal(given_up=("never answered",)))

    assert [(ready.queue, ready.jobs) for ready in renewed.woken] == [("gpu", 1)]
    assert renewed.unlisted == ()
    assert status(ledger, item.id) is Status.QUEUED


def test_a_renewal_names_leases_that_it_did_not_list(ledger: Ledger) -> None:
    """So a worker that lost track finds them."""
    lease = started(ledger)

    assert ledger.renew(renewal()).unlisted == ((lease.record.id, lease.record.fence),)
    assert ledger.renew(renewal(held(lease))).unlisted == ()


def test_only_the_fence_decides_at_renewal_and_commit(ledger: Ledger, clock: Clock) -> None:
    """A lease past its time that nobody took is still good; a stale or invented one is lost, by (id, fence)."""
    lease = started(ledger)
    for _ in range(10):
        clock.advance(1_900)
        ledger.wake(1)

    stale = Held(lease.record.id, lease.record.fence - 1)
    answer = ledger.renew(renewal(held(lease), stale, Held("no such job", 1)))

    assert answer.standings == (Standing.OK, Standing.LOST, Standing.LOST)
    assert ledger.commit(end(lease)).how is Committing.DONE


def test_a_lease_runs_out_on_the_ledgers_clock(ledger: Ledger, clock: Clock) -> None:
    """Seen often it ends after its time; the worker is told of that very lease, and the budget counts down."""
    ledger.renew(renewal())
    lease = started(ledger, job(lost_left=1))
    ledger.listen("w1", 0)
    for _ in range(5):
        clock.advance(1_999)
        assert ledger.expire(10).answers == ()
    clock.advance(5)

    assert ledger.expire(10).answers == ((lease.record.id, "job-queued"),)
    assert ledger.listen("w1", 0)[0] == f"lost {lease.record.id} {lease.record.fence}"
    kept = ledger.kept([lease.record.id])[0]
    assert kept is not None
    assert (kept.record.lost_left, [attempt.how for attempt in kept.attempts]) == (0, ["worker-lost"])


def test_an_outage_or_a_jump_of_the_clock_expires_nobody(ledger: Ledger, clock: Clock) -> None:
    """However far the server's clock moves between two steps, the ledger's moves 2 s at most, and never back."""
    lease = started(ledger)
    for jump_ms in (3_600_000, -7_200_000, 86_400_000):
        clock.advance(jump_ms)
        assert ledger.expire(10).answers == ()

    assert ledger.commit(end(lease)).how is Committing.DONE


def test_the_last_lost_lease_fails_the_job(ledger: Ledger) -> None:
    """The budget stands in the record; the scripts only count it down."""
    lease = started(ledger, job(lost_left=0))

    answer = ledger.leave("w1")

    assert answer.answers == ((lease.record.id, "job-failed"),)
    kept = ledger.kept([lease.record.id])[0]
    assert kept is not None
    assert kept.record.reason == "worker-lost"


def test_a_half_run_out_lease_is_shown_offline_until_renewed(
    ledger: Ledger, events: Events, clock: Clock
) -> None:
    """An event of its own each time; the job itself stays started."""
    lease = started(ledger)
    for _ in range(3):
        clock.advance(2_000)
        ledger.wake(1)

    assert ledger.suspect(10).answers == ((lease.record.id, "job-started"),)
    assert ledger.suspect(10).answers == ()
    ledger.renew(renewal(held(lease)))

    shown = [entry.event.status for entry in events.follow("", 10, 0)]
    assert shown == ["job-queued", "job-started", "job-offline", "job-started"]


@pytest.mark.parametrize("others_ms", [1_000, 600_000])
def test_the_half_is_that_of_the_lease_that_the_worker_asked_for(
    ledger: Ledger, clock: Clock, others_ms: int
) -> None:
    """Whatever the others' leases are, and whoever asks: the claim's length, and then the renewal's."""
    lease = started(ledger)
    started(ledger, worker="w2", lease_ms=others_ms)
    shown: list[list[str]] = []
    for _ in range(3):
        for _ in range(2):
            clock.advance(1_999)
            ledger.wake(1)
        shown.append([id for id, _ in ledger.suspect(10).answers if id == lease.record.id])
    ledger.renew(renewal(held(lease), lease_ms=4 * LEASE_MS))
    for _ in range(9):
        clock.advance(2_000)
        ledger.wake(1)

    assert shown == [[], [lease.record.id], []]
    assert lease.record.id not in dict(ledger.suspect(10).answers)
    clock.advance(2_000)
    assert lease.record.id in dict(ledger.suspect(10).answers)


def test_progress_makes_a_revision_and_silence_does_not(ledger: Ledger, events: Events) -> None:
    """A renewal every 2 s must not flood the store."""
    lease = started(ledger)

    ledger.renew(renewal(held(lease, phase="execute", progress="0.5 half")))
    ledger.renew(renewal(held(lease, phase="execute", progress="0.5 half")))

    assert [entry.event.step for entry in events.follow("", 10, 0)] == ["accept", "claim", "renew"]
    kept = ledger.kept([lease.record.id])[0]
    assert kept is not None
    assert (kept.record.phase, kept.record.progress) == ("execute", "0.5 half")


def test_a_repeated_commit_is_answered_again_whatever_happened_since(ledger: Ledger) -> None:
    """Its reply was lost, the job was claimed by another, and still the first knows that it was heard."""
    first = started(ledger)
    retry = end(first, Status.QUEUED, reason="data", fails="data:1")
    assert ledger.commit(retry).how is Committing.DONE
    second = take(ledger, worker="w2")

    again = ledger.commit(retry)

    assert (again.how, again.status) == (Committing.AGAIN, "job-started")
    assert ledger.commit(end(second)).how is Committing.DONE


def test_a_commit_may_carry_a_bid(ledger: Ledger) -> None:
    """One send ends a job and begins the next; repeated, it answers the same lease."""
    lease = started(ledger)
    ledger.accept([following := job()])
    wish = bid()

    first, again = ledger.commit(end(lease), wish), ledger.commit(end(lease), wish)

    assert (first.how, again.how) == (Committing.DONE, Committing.AGAIN)
    assert won(first.claimed).record.id == following.id
    assert again.claimed == first.claimed


def test_a_retry_waits_behind_others_and_a_released_job_keeps_its_place(ledger: Ledger, clock: Clock) -> None:
    """A retry is ready anew; a release, an expiry or an amend is not."""
    ledger.accept([retried := job()])
    ledger.commit(end(take(ledger), Status.QUEUED, reason="data"))
    clock.advance(1)
    ledger.accept([released := job()])
    clock.advance(1)
    first = take(ledger)
    ledger.commit(end(first, Status.QUEUED, reason="data"))
    second = take(ledger)
    ledger.release(second.record.id, second.record.fence)

    assert (first.record.id, second.record.id) == (retried.id, released.id)
    assert take(ledger).record.id == released.id


def test_a_wait_beyond_the_deadline_is_refused(ledger: Ledger, clock: Clock) -> None:
    """The job stays with its owner, who commits its failure instead."""
    now_ms = clock.now_us // 1_000
    lease = started(ledger, job(deadline_ms=now_ms + 5_000))

    late = ledger.commit(end(lease, Status.WAITING, reason="data", wake_ms=now_ms + 5_001))

    assert (late.how, late.status) == (Committing.TOO_LATE, "job-started")
    assert ledger.commit(end(lease, Status.FAILED, reason="data")).how is Committing.DONE


def test_a_release_counts_against_the_preemption_budget_alone(ledger: Ledger) -> None:
    """When that is used up, the next one fails the job."""
    first = started(ledger, job(preempt_left=1, lost_left=0))
    assert ledger.release(first.record.id, first.record.fence).answers[0][1] == "job-queued"
    second = take(ledger)

    assert ledger.release(first.record.id, first.record.fence) == Moved(((first.record.id, "lost"),))
    assert ledger.release(second.record.id, second.record.fence).answers == ((first.record.id, "job-failed"),)


def test_a_delayed_release_waits_and_keeps_its_place(ledger: Ledger, clock: Clock) -> None:
    """After its delay it stands before what came in meanwhile."""
    lease = started(ledger)
    ledger.release(lease.record.id, lease.record.fence, delay_ms=2_000)
    clock.advance(2_000)
    ledger.accept([job()])
    ledger.wake(10)

    assert take(ledger).record.id == lease.record.id


def test_a_cancel_asked_ends_the_job_revoked_by_every_way_but_completion(ledger: Ledger) -> None:
    """Accept, claim, cancel, release, claim again: the naive ledger ran it once more."""
    lease = started(ledger)
    assert ledger.cancel([lease.record.id]).answers == ((lease.record.id, "job-started"),)

    assert ledger.listen("w1", 0) == (f"cancel {lease.record.id} {lease.record.fence}",)
    assert ledger.renew(renewal(held(lease))).standings == (Standing.CANCEL,)
    assert ledger.renew(renewal(held(lease))).standings == (Standing.CANCEL,)
    assert ledger.release(lease.record.id, lease.record.fence).answers == ((lease.record.id, "job-revoked"),)
    assert ledger.cancel([lease.record.id]).answers == ((lease.record.id, "ended"),)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        (Status.COMPLETED, Status.COMPLETED),
        (Status.FAILED, Status.REVOKED),
        (Status.QUEUED, Status.REVOKED),
        (Status.WAITING, Status.REVOKED),
        (Status.REVOKED, Status.REVOKED),
    ],
)
def test_a_commit_after_a_cancel_ends_the_job(ledger: Ledger, wanted: Status, reached: Status) -> None:
    """Only a job that was done already stays completed."""
    lease = started(ledger)
    ledger.cancel([lease.record.id])

    assert ledger.commit(end(lease, wanted, wake_ms=1)).status == reached.value


def test_a_cancelled_job_whose_worker_is_lost_is_revoked(ledger: Ledger) -> None:
    """It is not run again."""
    lease = started(ledger)
    ledger.cancel([lease.record.id])

    assert ledger.leave("w1").answers == ((lease.record.id, "job-revoked"),)


def test_a_revocation_that_nobody_asked_for_is_refused(ledger: Ledger) -> None:
    """A worker can't revoke by itself."""
    lease = started(ledger)

    answer = ledger.commit(end(lease, Status.REVOKED))

    assert (answer.how, answer.status) == (Committing.NOT_ASKED, "job-started")


def test_unclaimed_jobs_are_revoked_at_once(ledger: Ledger, clock: Clock) -> None:
    """Queued and waiting ones alike; unknown ones are named."""
    ledger.accept([queued := job(), waiting := job(wake_ms=clock.now_us // 1_000 + 1_000)])

    answers = ledger.cancel([queued.id, waiting.id, "unknown"]).answers

    assert [answer for _, answer in answers] == ["job-revoked", "job-revoked", "missing"]
    assert ledger.claim(bid()).lease is None
    assert ledger.queues() == ()


def test_a_head_that_does_not_fit_is_shown_and_unknown_shapes_are_named(ledger: Ledger, clock: Clock) -> None:
    """So a worker learns shapes, and why it got nothing."""
    ledger.accept([large := job(shape="4s"), job(shape="2s"), job(shape="8s")])
    clock.advance(300)

    answer = ledger.claim(bid(fit=Fit(now=("1s",), empty=("4s",), never=("8s",))))

    assert answer.lease is None
    assert answer.head == Head(large.id, "4s", 300)
    assert answer.unknown == ("2s",)


def test_an_old_large_job_gets_a_host_kept_free_for_it(ledger: Ledger, clock: Clock) -> None:
    """Past the age the host takes nothing smaller; another host goes on; when it is empty the job runs."""
    fit = Fit(now=("1s",), empty=("4s",))
    ledger.accept([large := job(shape="4s")])
    clock.advance(5_000)
    ledger.accept([small := job()])

    assert ledger.claim(bid(fit=fit)).lease is None
    assert take(ledger, worker="w2", fit=fit).record.id == small.id
    ledger.accept([job()])
    assert ledger.claim(bid(fit=fit)).lease is None
    assert take(ledger, fit=Fit(now=("1s", "4s"))).record.id == large.id


def test_a_reservation_goes_when_its_job_is_gone(ledger: Ledger, clock: Clock) -> None:
    """The host is free for all again."""
    fit = Fit(now=("1s",), empty=("4s",))
    ledger.accept([large := job(shape="4s")])
    clock.advance(5_000)
    ledger.accept([small := job()])
    ledger.claim(bid(fit=fit))
    ledger.cancel([large.id])

    assert take(ledger, fit=fit).record.id == small.id


def test_the_bids_of_one_worker_leave_anothers_leases_alone(ledger: Ledger) -> None:
    """A nonce is a field of its worker's record."""
    ledger.accept([job(), job()])
    wish = bid()
    first = won(ledger.claim(wish))

    other = won(ledger.claim(replace(wish, worker="w2")))

    assert other.record.id != first.record.id
