"""What a next attempt gets, what a lease that was never used costs, and how a job and its retry by hand are linked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.ledger.conftest import RETENTION_MS, Clock
from contract.ledger.sample import bid, end, job, keyed, renewal, started, status, take, won
from hysds.core.floor_requests import Fit
from hysds.core.record import Record
from hysds.core.requests import Accepting, Answer, Lease
from hysds.core.status import Status
from hysds.ports.events import Events
from hysds.ports.ledger import Ledger

_LARGER = {"shape": "1s2048m", "memory_bytes": 2 << 30, "reason": "oom", "fails": "o1"}
_FIT = Fit(now=("1s", "1s2048m"))


def _record(ledger: Ledger, id: str) -> Record:
    kept = ledger.kept([id])[0]
    assert kept is not None
    return kept.record


def _grown(ledger: Ledger) -> Lease:
    """A job in its second attempt, which has more memory than the first."""
    first = started(ledger, job(lost_left=2, preempt_left=1))
    ledger.commit(end(first, Status.QUEUED, **_LARGER))
    return take(ledger, fit=_FIT)


@pytest.mark.parametrize("to", [Status.QUEUED, Status.WAITING])
def test_the_next_attempt_stands_in_the_shape_that_its_commit_names(
    ledger: Ledger, clock: Clock, to: Status
) -> None:
    """Only a worker that has so much free gets it, and the lease says how much the job may hold."""
    lease = started(ledger)

    ledger.commit(end(lease, to, **_LARGER))
    ledger.wake(10)

    assert ledger.claim(bid()).unknown == ("1s2048m",)
    again = take(ledger, fit=_FIT).record
    assert (again.id, again.shape, again.memory_bytes) == (lease.record.id, "1s2048m", 2 << 30)


@pytest.mark.parametrize("way", ["commit", "release", "expire", "leave", "give up"])
def test_a_job_keeps_the_memory_that_it_has_reached(ledger: Ledger, clock: Clock, way: str) -> None:
    """However its lease ends, the attempt after it must not run out of what was too little before."""
    lease = _grown(ledger)
    id, fence = lease.record.id, lease.record.fence

    if way == "commit":
        ledger.commit(end(lease, Status.QUEUED, reason="data", fails="d1o1"))
    elif way == "release":
        ledger.release(id, fence)
    elif way == "leave":
        ledger.leave("w1")
    elif way == "give up":
        ledger.renew(renewal(given_up=(lease.record.nonce,)))
    else:
        for _ in range(6):
            clock.advance(2_000)
            ledger.expire(10)

    assert status(ledger, id) is Status.QUEUED
    again = take(ledger, fit=_FIT).record
    assert (again.shape, again.memory_bytes) == ("1s2048m", 2 << 30)


def test_the_end_of_a_job_changes_neither_its_shape_nor_its_memory(ledger: Ledger) -> None:
    """There is no next attempt: also where a cancel turned a retry into the end."""
    lease = started(ledger)
    ledger.cancel([lease.record.id])

    ledger.commit(end(lease, Status.QUEUED, **_LARGER))

    record = _record(ledger, lease.record.id)
    assert (record.status, record.shape, record.memory_bytes) == (Status.REVOKED, "1s", 0)


def test_a_lease_that_was_given_up_unused_costs_nothing(ledger: Ledger) -> None:
    """Neither an attempt nor a budget, however small, nor the job's place: nobody ever ran it."""
    ledger.accept([item := job(lost_left=0, preempt_left=0)])
    before = _record(ledger, item.id)
    ledger.accept([job()])
    for _ in range(3):
        nonce = take(ledger).record.nonce
        assert ledger.renew(renewal(given_up=(nonce,))).unlisted == ()

    kept = ledger.kept([item.id])[0]
    assert kept is not None
    assert kept.attempts == ()
    burned = replace(kept.record, revision=before.revision, fence=0, claims=0, started_ms=0)
    assert burned == before
    assert take(ledger).record.id == item.id


def test_an_ended_job_and_its_retry_are_linked(ledger: Ledger, events: Events, clock: Clock) -> None:
    """The old record has a new revision and an event, and may not go before the store has that too."""
    lease = started(ledger)
    ledger.commit(end(lease, Status.FAILED, reason="user"))
    old = _record(ledger, lease.record.id)
    ledger.confirm([(old.id, old.revision)])
    after = events.end()

    ledger.accept([retry := job(retry_of=old.id)])

    linked = _record(ledger, old.id)
    assert (linked.status, linked.retried_by, linked.confirmed) == (Status.FAILED, retry.id, False)
    assert linked.revision > old.revision
    assert _record(ledger, retry.id).retry_of == old.id
    told = [entry.event for entry in events.follow(after, 10, 0)]
    assert {(event.id, event.revision, event.step) for event in told} == {
        (retry.id, _record(ledger, retry.id).revision, "accept"),
        (old.id, linked.revision, "retry"),
    }
    clock.advance(RETENTION_MS + 1)
    assert (ledger.retirable(10), ledger.forget([old.id])) == ((), ())
    assert ledger.confirm([(old.id, linked.revision)]) == (True,)


def test_a_repeated_retry_changes_nothing(ledger: Ledger, events: Events) -> None:
    """Its answer got lost; the client asks again with the same id."""
    lease = started(ledger)
    ledger.commit(end(lease))
    ledger.accept([retry := job(retry_of=lease.record.id)])
    linked, after = _record(ledger, lease.record.id), events.end()

    answer = ledger.accept([retry]).answers[0]

    assert (answer.how, answer.status) == (Accepting.REPEATED, "job-queued")
    assert _record(ledger, lease.record.id) == linked
    assert events.follow(after, 10, 0) == ()


def test_a_job_that_has_not_ended_is_not_retried(ledger: Ledger, clock: Clock) -> None:
    """Queued, waiting or started: it would run twice. The answer says where it stands, and there is no new job."""
    running = started(ledger).record.id
    ledger.accept([queued := job(), waiting := job(wake_ms=clock.now_us // 1_000 + 9_000)])
    retries = [job(retry_of=id) for id in (running, queued.id, waiting.id)]

    answers = ledger.accept(retries).answers

    assert answers == tuple(
        Answer(Accepting.NOT_ENDED, status) for status in ("job-started", "job-queued", "job-waiting")
    )
    assert ledger.kept([item.id for item in retries]) == (None, None, None)
    assert _record(ledger, queued.id).retried_by == ""


def test_a_forgotten_job_may_be_retried(ledger: Ledger) -> None:
    """Nothing of it is left to link; the new job names it all the same."""
    ledger.accept([retry := job(retry_of="0b0e8c3a-1111-4111-8111-000000000009")])

    assert _record(ledger, retry.id).retry_of == "0b0e8c3a-1111-4111-8111-000000000009"


def test_a_retry_is_a_duplicate_of_any_job_but_the_one_that_it_names(ledger: Ledger) -> None:
    """A second retry meets the first one, which runs: it is deduped, and the old job goes on naming the first."""
    lease = started(ledger, keyed())
    ledger.commit(end(lease))

    first, second = keyed(retry_of=lease.record.id), keyed(retry_of=lease.record.id)
    answers = ledger.accept([first, second]).answers

    assert [answer.how for answer in answers] == [Accepting.ACCEPTED, Accepting.DEDUPED]
    assert (answers[1].twin, _record(ledger, lease.record.id).retried_by) == (first.id, first.id)


def test_a_retry_leaves_the_key_to_another_job_that_has_it(ledger: Ledger) -> None:
    """It names an ended job, but the key is another's, which completed: it runs only if it minds no completed one."""
    failed = started(ledger, keyed())
    ledger.commit(end(failed, Status.FAILED, reason="user"))
    other = started(ledger, keyed())
    ledger.commit(end(other))

    minds_none = keyed(retry_of=failed.record.id, twins=frozenset())
    assert ledger.accept([minds_none]).answers[0].how is Accepting.ACCEPTED

    assert ledger.accept([keyed()]).answers[0].twin == other.record.id


def test_the_latest_retry_is_the_one_that_is_named(ledger: Ledger) -> None:
    """Each is a job of its own and can be retried in its turn."""
    lease = started(ledger)
    ledger.commit(end(lease, Status.FAILED, reason="user"))

    ledger.accept([job(retry_of=lease.record.id), second := job(retry_of=lease.record.id)])

    assert _record(ledger, lease.record.id).retried_by == second.id


def test_waking_and_expiring_by_turns_leaves_nothing_that_is_due(ledger: Ledger, clock: Clock) -> None:
    """Both look at the earliest due entries, and each takes only its own: neither hides the other's for ever."""
    now_ms = clock.now_us // 1_000
    for _ in range(3):
        ledger.accept([job(ttl_for_ms=1_000) for _ in range(4)])
        ledger.accept([job(wake_ms=now_ms + 1_500) for _ in range(4)])
        clock.advance(10)
    clock.advance(2_000)

    woken: list[str] = []
    failed: list[str] = []
    while True:
        wake, expire = ledger.wake(2), ledger.expire(2)
        woken += [id for id, _ in wake.answers]
        failed += [id for id, _ in expire.answers]
        if not (wake.more or expire.more or wake.answers or expire.answers):
            break

    assert (len(woken), len(failed)) == (12, 12)
    assert won(ledger.claim(bid())).record.id in woken
