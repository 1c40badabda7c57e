"""Limits: how many jobs of a key run at once, and who waits for a place (rule 21)."""

from __future__ import annotations

import pytest

from contract.ledger.conftest import Clock
from contract.ledger.sample import bid, end, held, job, renewal, started, status, take
from hysds.core.limit_keys import Limit, Rate, written_limits, written_rates
from hysds.core.requests import Acceptance
from hysds.core.status import Status
from hysds.ports.ledger import Ledger

_LONG = "key:" + "k" * 100
_ONE = (Limit("key:a", 1),)
_TWO = (Limit("key:a", 2),)


def reason(ledger: Ledger, item: Acceptance) -> str:
    """Of a job that waits; "" where it does not."""
    kept = ledger.kept([item.id])[0]
    assert kept is not None
    return kept.record.reason if kept.record.status is Status.WAITING else ""


def accept(ledger: Ledger, *items: Acceptance) -> None:
    """All of them are taken."""
    assert {answer.how for answer in ledger.accept(items).answers} == {"accepted"}


def test_a_record_says_under_which_keys_its_job_is_limited(ledger: Ledger) -> None:
    """Whatever characters they have and however long they are; a job without keys keeps nothing."""
    limits, rates = (Limit("queue:gpu", 2), Limit(_LONG, 1)), (Rate("user:ünï c", 2, 3),)
    ledger.accept([limited := job(limits=limits, rates=rates), free := job()])

    kept, other = ledger.kept([limited.id, free.id])

    assert kept is not None
    assert other is not None
    assert (kept.record.limits, kept.record.rates) == (written_limits(limits), written_rates(rates))
    assert (other.record.limits, other.record.rates) == ("", "")


def test_a_job_over_a_limit_waits_and_starts_when_a_place_is_free(ledger: Ledger) -> None:
    """It says for which key; the commit that frees the place makes it ready, and its bid wins it."""
    accept(ledger, first := job(limits=_ONE), second := job(limits=_ONE), other := job())

    assert (reason(ledger, first), reason(ledger, second), reason(ledger, other)) == ("", "limit key:a", "")
    lease = take(ledger)
    assert take(ledger).record.id == other.id
    assert ledger.claim(bid()).lease is None
    claimed = ledger.commit(end(lease), bid()).claimed
    assert claimed is not None
    assert claimed.lease is not None
    assert claimed.lease.record.id == second.id


@pytest.mark.parametrize("key", [_LONG, "key:ünï a:b", "queue:gpu"])
def test_what_stands_under_a_key_is_told(ledger: Ledger, key: str) -> None:
    """Places, who holds them, how many wait; afterwards nothing is left of it."""
    accept(ledger, *(jobs := [job(limits=(Limit(key, 2),)) for _ in range(5)]))
    leases = [take(ledger), take(ledger)]

    [state] = ledger.limits([key])

    assert (state.key, state.places, state.used, state.waiting) == (key, 2, 2, 3)
    assert state.holders == (jobs[0].id, jobs[1].id)
    while leases:
        claimed = ledger.commit(end(leases.pop(0)), bid()).claimed
        assert claimed is not None
        leases += [claimed.lease] if claimed.lease is not None else []
    assert ledger.limits([key])[0].places == 0
    assert {status(ledger, one.id) for one in jobs} == {Status.COMPLETED}


def test_every_way_out_of_started_gives_the_place_back(ledger: Ledger, clock: Clock) -> None:
    """Commit to each end, release, a nonce given up, a lease that ran out, a worker that left."""
    for status_after in (Status.FAILED, Status.QUEUED, Status.WAITING):
        lease = started(ledger, job(limits=_ONE))
        ledger.commit(end(lease, status_after, reason="user", wake_ms=clock.now_us // 1000 + 5_000))
        assert ledger.limits(["key:a"])[0].used == 0
        ledger.cancel([lease.record.id])
    given_up = bid()
    accept(ledger, item := job(limits=_ONE))
    ledger.claim(given_up)
    ledger.renew(renewal(given_up=(given_up.nonce,)))
    assert ledger.limits(["key:a"])[0].used == 0
    lease = take(ledger)
    ledger.release(lease.record.id, lease.record.fence)
    assert ledger.limits(["key:a"])[0].used == 0
    take(ledger)
    ledger.leave("w1")
    assert ledger.limits(["key:a"])[0].used == 0
    take(ledger)
    for _ in range(8):
        clock.advance(2_000)
        ledger.expire(10)
    assert ledger.limits(["key:a"])[0].used == 0
    assert status(ledger, item.id) is Status.QUEUED


def test_a_place_that_is_free_is_for_the_first_in_line(ledger: Ledger, clock: Clock) -> None:
    """By priority, then by age."""
    accept(ledger, job(limits=_ONE))
    lease = take(ledger)
    accept(ledger, old := job(limits=_ONE))
    clock.advance(10)
    accept(ledger, young := job(limits=_ONE), urgent := job(limits=_ONE, priority=5))
    order = []
    for _ in range(3):
        claimed = ledger.commit(end(lease), bid()).claimed
        assert claimed is not None
        assert claimed.lease is not None
        lease = claimed.lease
        order.append(lease.record.id)

    assert order == [urgent.id, old.id, young.id]


def test_a_job_needs_a_place_of_each_of_its_keys_or_holds_none(ledger: Ledger) -> None:
    """Two jobs with two keys in different orders block each other for a while and never for ever."""
    a, b = Limit("key:a", 1), Limit("key:b", 1)
    accept(ledger, job(limits=(a,)), job(limits=(b,)))
    leases = [take(ledger), take(ledger)]
    accept(ledger, one := job(limits=(a, b)), two := job(limits=(b, a)))
    assert (reason(ledger, one), reason(ledger, two)) == ("limit key:a", "limit key:b")

    ledger.commit(end(leases[0]))

    assert ledger.claim(bid()).lease is None
    assert [state.used for state in ledger.limits(["key:a", "key:b"])] == [0, 1]
    ledger.commit(end(leases[1]))
    first = take(ledger)
    assert ledger.claim(bid()).lease is None
    ledger.commit(end(first))
    ledger.commit(end(take(ledger)))
    assert {status(ledger, one.id), status(ledger, two.id)} == {Status.COMPLETED}


def test_a_called_job_that_is_cancelled_passes_its_call_on(ledger: Ledger) -> None:
    """And the caller learns which queue to ring."""
    accept(ledger, *(jobs := [job(limits=_ONE) for _ in range(3)]))
    assert [reason(ledger, one) for one in jobs] == ["", "limit key:a", "limit key:a"]

    made = ledger.cancel([jobs[0].id]).ready

    assert [reason(ledger, one) for one in jobs[1:]] == ["", "limit key:a"]
    assert [(one.queue, one.jobs) for one in made] == [("gpu", 1)]
    ledger.cancel([jobs[1].id])
    assert reason(ledger, jobs[2]) == ""


def test_a_called_job_whose_ttl_is_over_passes_its_call_on(ledger: Ledger, clock: Clock) -> None:
    """In the step that ends it."""
    accept(ledger, job(limits=_ONE, ttl_for_ms=1_000), second := job(limits=_ONE))
    clock.advance(1_001)

    ledger.expire(10)

    assert reason(ledger, second) == ""


def test_a_waiting_job_obeys_its_ttl_a_cancel_and_an_amendment(ledger: Ledger, clock: Clock) -> None:
    """As any job that nobody has claimed."""
    accept(ledger, job(limits=_ONE))
    lease = take(ledger)
    accept(
        ledger,
        brief := job(limits=_ONE, ttl_for_ms=1_000),
        gone := job(limits=_ONE),
        first := job(limits=_ONE),
        raised := job(limits=_ONE),
    )
    clock.advance(1_001)

    ledger.expire(10)
    ledger.cancel([gone.id])
    ledger.amend([raised.id], priority=9)
    ledger.commit(end(lease))

    assert (status(ledger, brief.id), status(ledger, gone.id)) == (Status.FAILED, Status.REVOKED)
    assert (reason(ledger, first), reason(ledger, raised)) == ("limit key:a", "")


def test_a_paused_queue_keeps_no_place_from_others(ledger: Ledger, clock: Clock) -> None:
    """For longer than a second; what was called for the place then goes back in line, and is called again."""
    ledger.pause("slow")
    accept(ledger, paused := job(limits=_ONE, queue="slow"), other := job(limits=_ONE))
    assert ledger.claim(bid()).lease is None
    clock.advance(1_000)

    assert ledger.wake(10).answers == ((other.id, "job-queued"),)

    lease = take(ledger)
    assert lease.record.id == other.id
    ledger.resume("slow")

    assert ledger.claim(bid(queues=("slow",))).lease is None
    assert reason(ledger, paused) == "limit key:a"
    ledger.commit(end(lease))
    assert take(ledger, queues=("slow",)).record.id == paused.id


def test_a_place_is_for_the_first_of_all_queues_while_a_worker_may_come_for_it(
    ledger: Ledger, clock: Clock
) -> None:
    """Whoever frees it takes it for no younger job of its own queue; after a second nobody waits for the other."""
    accept(ledger, job(limits=_ONE))
    lease = take(ledger)
    accept(ledger, older := job(limits=_ONE, queue="slow"))
    clock.advance(10)
    accept(ledger, younger := job(limits=_ONE), plain := job())

    claimed = ledger.commit(end(lease), bid()).claimed

    assert claimed is not None
    assert claimed.lease is not None
    assert claimed.lease.record.id == plain.id
    assert (reason(ledger, older), reason(ledger, younger)) == ("", "limit key:a")
    clock.advance(999)
    assert ledger.wake(10).answers == ()
    clock.advance(1)
    assert ledger.wake(10).answers == ((younger.id, "job-queued"),)
    assert take(ledger).record.id == younger.id
    assert ledger.claim(bid(queues=("slow",))).lease is None


def test_a_full_key_hides_nothing_behind_it(ledger: Ledger, clock: Clock) -> None:
    """However many jobs of it were submitted first, and however many of them are ready at once."""
    accept(ledger, *(job(limits=_TWO, queue=queue) for queue in ("gpu", "slow") for _ in range(40)))
    accept(ledger, other := job())
    clock.advance(1_000)
    ledger.wake(10)
    for _ in range(2):
        take(ledger, queues=("slow",))

    assert take(ledger).record.id == other.id


def test_a_raised_limit_lets_the_waiting_go(ledger: Ledger) -> None:
    """Some at once, as a step calls no more than a hundred or two; the rest with the next wake."""
    accept(ledger, *(jobs := [job(limits=_ONE) for _ in range(300)]))

    accept(ledger, job(limits=(Limit("key:a", 250),)))

    assert 100 < sum(reason(ledger, one) == "" for one in jobs) < 250
    while ledger.wake(500).more:
        pass
    assert sum(reason(ledger, one) == "" for one in jobs) == 250


def test_a_lowered_limit_ends_nobody(ledger: Ledger) -> None:
    """Nobody starts until enough have ended."""
    accept(ledger, *(job(limits=_TWO) for _ in range(3)))
    leases = [take(ledger), take(ledger)]
    accept(ledger, job(limits=_ONE))
    assert ledger.limits(["key:a"])[0].used == 2
    assert ledger.claim(bid()).lease is None
    assert ledger.commit(end(leases[0]), bid()).how == "done"
    assert ledger.limits(["key:a"])[0].used == 1
    take_next = ledger.commit(end(leases[1]), bid()).claimed
    assert take_next is not None
    assert take_next.lease is not None


def test_a_job_with_a_time_waits_for_that_first(ledger: Ledger, clock: Clock) -> None:
    """Then for its place, at the place in line that its time gives it."""
    later_ms = clock.now_us // 1000 + 1_000
    accept(ledger, timed := job(limits=_ONE, wake_ms=later_ms), job(limits=_ONE))
    assert reason(ledger, timed) == "time"
    lease = take(ledger)
    clock.advance(1_001)

    woken = ledger.wake(10)

    assert woken.answers == ((timed.id, "job-waiting"),)
    assert reason(ledger, timed) == "limit key:a"
    ledger.commit(end(lease))
    assert take(ledger).record.id == timed.id


def test_a_renewal_keeps_the_place(ledger: Ledger) -> None:
    """And says that there is no work while the key is full."""
    lease = started(ledger, job(limits=_ONE))
    accept(ledger, job(limits=_ONE))

    renewed = ledger.renew(renewal(held(lease)))

    assert renewed.ready is False
    assert ledger.limits(["key:a"])[0].holders == (lease.record.id,)


def test_an_idle_worker_is_woken_for_whom_a_free_place_calls(ledger: Ledger) -> None:
    """In the step that frees it."""
    accept(ledger, job(limits=_ONE), job(limits=_ONE))
    lease = take(ledger)
    ledger.renew(renewal(worker="w2"))
    ledger.listen("w2", 0)

    ready = ledger.commit(end(lease)).ready

    assert ledger.listen("w2", 0) == ("wake",)
    assert [(one.queue, one.jobs, one.unheard) for one in ready] == [("gpu", 1, 0)]


def test_many_jobs_of_two_full_keys_are_not_moved_about(ledger: Ledger) -> None:
    """A place of one key that its jobs can't use changes their line, and no job."""
    both = (Limit("queue:gpu", 1), Limit("user:ann", 1))
    accept(ledger, job(limits=both[:1]), job(limits=both[1:]))
    leases = [take(ledger), take(ledger)]
    accept(ledger, *(jobs := [job(limits=both) for _ in range(150)]))
    before = ledger.kept([one.id for one in jobs])

    ledger.commit(end(leases[0]))

    assert ledger.kept([one.id for one in jobs]) == before
    assert [state.waiting for state in ledger.limits(["queue:gpu", "user:ann"])] == [0, 150]
    ledger.commit(end(leases[1]))
    assert take(ledger).record.id == jobs[0].id
    assert ledger.wake(500).more is False


def test_an_audit_finds_nothing_wrong_with_limits(ledger: Ledger) -> None:
    """Called, started and waiting jobs stand where they belong."""
    accept(ledger, *(job(limits=_TWO, rates=(Rate("key:a", 1, 1),)) for _ in range(4)))
    take(ledger)

    assert ledger.audit("", 500) == ("", ()) or ledger.audit("", 500)[1] == ()
