"""Queues, workers, forgetting, revisions and the audit (rules 12 to 14, and nobody waits beside a free slot)."""

from __future__ import annotations

import threading

import pytest

from contract.ledger.conftest import RETENTION_MS, Clock
from contract.ledger.sample import bid, end, held, job, renewal, started, status, take
from contract.ledger.side_by_side import audited
from hysds.core.requests import Ready
from hysds.core.status import Status
from hysds.ports.ledger import Ledger, QueueState


def test_a_paused_queue_fills_and_is_not_claimed_from(ledger: Ledger) -> None:
    """Running jobs go on; what was paused is rung when it resumes."""
    running = started(ledger)
    ledger.pause("gpu")
    ledger.accept([item := job()])

    assert ledger.queues() == (QueueState("gpu", 1, True),)
    assert ledger.claim(bid()).lease is None
    assert ledger.renew(renewal(held(running))).ready is False
    assert ledger.resume("gpu").ready == (Ready("gpu", 1, 0, 1),)
    assert ledger.resume("gpu").ready == ()
    assert take(ledger).record.id == item.id


def test_amended_jobs_move_and_keep_their_place_in_time(ledger: Ledger, clock: Clock) -> None:
    """Queued and waiting ones; a started one is left alone and says so."""
    running = started(ledger)
    ledger.accept([first := job(queue="slow")])
    clock.advance(1)
    ledger.accept([second := job()])

    answer = ledger.amend([first.id, running.record.id, "unknown"], queue="gpu")

    assert answer.answers == (
        (first.id, "job-queued"),
        (running.record.id, "job-started"),
        ("unknown", "missing"),
    )
    assert [take(ledger).record.id, take(ledger).record.id] == [first.id, second.id]


def test_a_higher_priority_overtakes(ledger: Ledger) -> None:
    """Only what is named changes."""
    ledger.accept([job(), second := job()])

    ledger.amend([second.id], priority=10)

    assert take(ledger).record.id == second.id


def test_ready_work_wakes_as_many_idle_workers_as_it_can_fill(ledger: Ledger) -> None:
    """One notice each, by name, as far as free slots go; what is left is answered as unheard."""
    ledger.renew(renewal(worker="w1", slots=2))
    ledger.renew(renewal(worker="w2", slots=1))
    ledger.renew(renewal(worker="w3", slots=0))

    made = ledger.accept([job() for _ in range(5)]).ready

    assert made == (Ready("gpu", jobs=5, unheard=2, hearers=2),)
    assert [ledger.listen(worker, 0) for worker in ("w1", "w2", "w3")] == [("wake",), ("wake",), ()]


def test_a_worker_that_was_woken_is_not_woken_again_until_it_bids(ledger: Ledger) -> None:
    """A pledge counts as taken; a bid or a renewal ends it."""
    ledger.renew(renewal(slots=1))
    ledger.accept([job()])
    assert ledger.accept([job()]).ready[0].unheard == 1
    lease = take(ledger)
    ledger.commit(end(lease), bid())

    assert ledger.accept([job()]).ready[0].unheard == 1
    assert ledger.listen("w1", 0) == ("wake",)


def test_listening_waits_for_the_first_notice(ledger: Ledger) -> None:
    """It is answered as soon as another thread's step tells the worker."""
    ledger.renew(renewal())
    heard: list[tuple[str, ...]] = []
    listener = threading.Thread(target=lambda: heard.append(ledger.listen("w1", 30)))
    listener.start()

    ledger.accept([job()])
    listener.join(30)

    assert heard == [("wake",)]


def test_closing_ends_a_wait(ledger: Ledger) -> None:
    """A worker that shuts down does not wait for its inbox."""
    heard: list[tuple[str, ...]] = []
    listener = threading.Thread(target=lambda: heard.append(ledger.listen("w1", 60)))
    listener.start()

    ledger.close()
    listener.join(30)

    assert heard == [()]


def test_an_inbox_is_bounded_and_loses_the_oldest(ledger: Ledger) -> None:
    """Notices only hurry: the record holds the cancel."""
    lease = started(ledger)
    for _ in range(3):
        ledger.cancel([lease.record.id] * 400)

    assert len(ledger.listen("w1", 0)) == 1_000


def test_a_silent_worker_is_forgotten_after_its_leases(ledger: Ledger, clock: Clock) -> None:
    """Its announcement lives on the ledger's clock; nothing is told to it any more."""
    started(ledger, job(lost_left=0))
    ledger.renew(renewal())
    for _ in range(14):
        clock.advance(2_000)
        ledger.expire(10)

    assert ledger.accept([job()]).ready == (Ready("gpu", 1, 1, 0),)
    assert ledger.listen("w1", 0) == ()


def test_a_silent_worker_is_known_while_it_holds_a_lease(ledger: Ledger, clock: Clock) -> None:
    """A limited step that could not yet take all its leases leaves it its inbox."""
    ledger.accept([job(), job()])
    first, second = sorted((take(ledger).record, take(ledger).record), key=lambda record: record.id)
    for _ in range(5):
        clock.advance(2_000)
        ledger.wake(1)

    assert ledger.expire(1).more
    assert ledger.listen("w1", 0) == (f"lost {first.id} {first.fence}",)
    assert ledger.expire(1).answers == ((second.id, "job-queued"),)
    assert ledger.listen("w1", 0) == ()


def test_only_the_last_revision_of_an_ended_job_can_be_confirmed(ledger: Ledger, clock: Clock) -> None:
    """The record stays until then, and for its retention after."""
    lease = started(ledger)
    before = lease.record.revision
    ledger.commit(end(lease))
    kept = ledger.kept([lease.record.id])[0]
    assert kept is not None

    assert ledger.confirm([(lease.record.id, before), ("unknown", 1)]) == (False, False)
    assert ledger.forget([lease.record.id]) == ()
    assert ledger.confirm([(lease.record.id, kept.record.revision)]) == (True,)
    assert ledger.retirable(10) == ()
    clock.advance(RETENTION_MS)
    assert ledger.retirable(10) == (lease.record.id,)
    assert ledger.forget([lease.record.id]) == (lease.record.id,)
    assert status(ledger, lease.record.id) is None


def test_a_touched_record_is_above_what_a_store_holds(ledger: Ledger) -> None:
    """After a failover its document is written again, and must be confirmed anew."""
    lease = started(ledger)
    ledger.commit(end(lease))
    kept = ledger.kept([lease.record.id])[0]
    assert kept is not None
    ledger.confirm([(lease.record.id, kept.record.revision)])

    above = kept.record.revision + 10_000_000

    assert ledger.touch(lease.record.id, above) == above + 1
    assert ledger.forget([lease.record.id]) == ()
    assert ledger.touch("unknown", above) == 0
    assert status(ledger, lease.record.id) is Status.COMPLETED


def test_the_leases_of_a_worker_that_left_are_ready_again(ledger: Ledger) -> None:
    """Its own word, or a proof that it is dead; a repeat finds nothing."""
    ledger.accept([job(), job()])
    leases = {take(ledger).record.id, take(ledger).record.id}

    first, again = ledger.leave("w1"), ledger.leave("w1")

    assert {id for id, _ in first.answers} == leases
    assert first.ready == (Ready("gpu", 2, 2, 0),)
    assert again.answers == ()


def test_an_audit_finds_nothing_after_ordinary_steps(ledger: Ledger, clock: Clock) -> None:
    """Each record is in exactly one of ready, due and lease."""
    ledger.accept([job(wake_ms=clock.now_us // 1_000 + 9_000), *(job() for _ in range(60))])
    for _ in range(20):
        take(ledger)

    assert audited(ledger) == []


@pytest.mark.parametrize("limit", [1, 7])
def test_a_limited_step_says_that_work_is_left(ledger: Ledger, clock: Clock, limit: int) -> None:
    """So the reconciler goes on at once."""
    ledger.accept([job(wake_ms=clock.now_us // 1_000 + 1_000) for _ in range(9)])
    clock.advance(1_000)

    counts = []
    while (moved := ledger.wake(limit)).answers:
        counts.append((len(moved.answers), moved.more))

    assert sum(count for count, _ in counts) == 9
    assert [more for _, more in counts] == [True] * (len(counts) - 1) + [False]
