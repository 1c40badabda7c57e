"""Drain orders: a worker that is to take no more jobs takes none, under whatever incarnation, and loses none."""

from __future__ import annotations

from dataclasses import replace

from contract.ledger.conftest import Clock
from contract.ledger.sample import bid, end, held, job, renewal, started, take, won
from hysds.core.floor_requests import Drain, Fit
from hysds.core.record import FOREVER
from hysds.core.requests import Ready, Renewed
from hysds.ports.ledger import Ledger

_ORDER = Drain("w1", "a new disk", within_ms=60_000)


def _announce(ledger: Ledger, incarnation: str, name: str, slots: int = 2) -> Renewed:
    plain = renewal(worker=incarnation, slots=slots)
    return ledger.renew(replace(plain, announcement=replace(plain.announcement, name=name)))


def test_a_drained_worker_is_given_nothing_and_told_why(ledger: Ledger, clock: Clock) -> None:
    """By a claim, by the bid inside a commit, by a renewal; another worker takes the job."""
    running = started(ledger)
    ledger.accept([item := job()])
    ledger.drain(_ORDER)
    stamped = replace(_ORDER, since_ms=clock.now_us // 1_000)

    claimed = ledger.claim(bid())
    renewed = ledger.renew(renewal(held(running)))
    committed = ledger.commit(end(running), bid())

    assert (claimed.lease, claimed.more, claimed.drain) == (None, False, stamped)
    assert (renewed.ready, renewed.unknown, renewed.drain) == (False, (), stamped)
    assert committed.claimed is not None
    assert (committed.claimed.lease, committed.claimed.drain) == (None, stamped)
    other = ledger.claim(bid("w2"))
    assert (won(other).record.id, other.drain) == (item.id, None)


def test_an_order_is_for_every_incarnation_of_a_name(ledger: Ledger) -> None:
    """Those that are announced are told; one that comes later, announced or not yet, gets nothing either."""
    for incarnation, name in (("w1/a", "w1"), ("w1/b", "w1"), ("w10/c", "w10")):
        _announce(ledger, incarnation, name)

    assert ledger.drain(_ORDER) == ("w1/a", "w1/b")

    assert [ledger.listen(worker, 0) for worker in ("w1/a", "w1/b", "w10/c")] == [("drain",), ("drain",), ()]
    ledger.accept([job()])
    assert ledger.claim(bid("w1/new")).drain is not None
    assert _announce(ledger, "w1/new", "w1").drain is not None
    assert _announce(ledger, "w10/c", "w10").drain is None
    assert ledger.claim(bid("w10/c")).lease is not None


def test_an_order_outlives_its_worker(ledger: Ledger, clock: Clock) -> None:
    """It left, and what it was called comes back: as after a restart of its host."""
    _announce(ledger, "w1/a", "w1")
    ledger.drain(_ORDER)
    ledger.leave("w1/a")
    for _ in range(20):
        clock.advance(2_000)
        ledger.expire(10)

    assert _announce(ledger, "w1/b", "w1").drain == ledger.drains()[0]


def test_ready_work_is_pledged_to_no_drained_worker(ledger: Ledger) -> None:
    """It does not count as a hearer: a bell rings, or another is woken."""
    ledger.renew(renewal(worker="w1"))
    ledger.drain(Drain("w1"))
    ledger.listen("w1", 0)

    assert ledger.accept([job()]).ready == (Ready("gpu", 1, unheard=1, hearers=0),)
    ledger.renew(renewal(worker="w1"))
    assert ledger.accept([job()]).ready == (Ready("gpu", 1, unheard=1, hearers=0),)
    ledger.renew(renewal(worker="w2"))
    assert ledger.accept([job()]).ready == (Ready("gpu", 1, unheard=0, hearers=1),)
    assert (ledger.listen("w1", 0), ledger.listen("w2", 0)) == ((), ("wake",))


def test_what_was_pledged_to_a_drained_worker_is_pledged_to_another(ledger: Ledger) -> None:
    """Its wake has woken nobody who would come."""
    ledger.renew(renewal(worker="w1"))
    ledger.accept([job()])
    ledger.renew(renewal(worker="w2"))
    assert ledger.listen("w2", 0) == ()

    ledger.drain(Drain("w1"))

    assert ledger.listen("w2", 0) == ("wake",)


def test_the_host_of_a_drained_worker_is_kept_free_for_nobody(ledger: Ledger, clock: Clock) -> None:
    """Another may take the large job that it was kept free for, and says so."""
    fit = Fit(now=("1s",), empty=("4s",))
    ledger.renew(renewal(worker="w1"))
    ledger.accept([large := job(shape="4s")])
    clock.advance(6_000)
    ledger.accept([job()])
    assert ledger.claim(bid(fit=fit)).lease is None
    assert [state.reserved for state in ledger.workers()] == [large.id]

    ledger.drain(Drain("w1"))

    assert [state.reserved for state in ledger.workers()] == [""]
    place = ledger.place(large.id)
    assert place is not None
    assert place.reserved_by == ""
    assert ledger.claim(bid("w2", fit=fit)).lease is None
    place = ledger.place(large.id)
    assert place is not None
    assert place.reserved_by == "w2"


def test_running_jobs_of_a_drained_worker_go_on(ledger: Ledger) -> None:
    """Renewed, committed, released: only new leases are refused, and an answer that got lost is given again."""
    ledger.accept([job(), job(), job()])
    first, second = take(ledger), take(ledger)
    lost_answer = bid()
    third = won(ledger.claim(lost_answer))
    ledger.drain(_ORDER)

    replayed = ledger.claim(lost_answer)

    assert (replayed.lease, replayed.more) == (third, False)
    assert replayed.drain is not None
    assert [*ledger.renew(renewal(held(first), held(second), held(third))).standings] == ["ok"] * 3
    assert ledger.commit(end(first)).status == "job-completed"
    assert ledger.release(second.record.id, second.record.fence).answers[0][1] == "job-queued"


def test_an_order_that_is_taken_back_wakes_the_worker(ledger: Ledger) -> None:
    """It bids and hears of new work again."""
    ledger.renew(renewal())
    ledger.drain(_ORDER)
    ledger.listen("w1", 0)
    ledger.accept([job()])

    assert (ledger.undrain("w1"), ledger.undrain("w1"), ledger.undrain("nobody")) == (True, False, False)

    assert ledger.listen("w1", 0) == ("wake",)
    assert take(ledger).record.owner == "w1"
    assert ledger.accept([job()]).ready == (Ready("gpu", 1, unheard=0, hearers=1),)
    assert ledger.renew(renewal()).drain is None


def test_a_new_order_replaces_an_old_one(ledger: Ledger, clock: Clock) -> None:
    """All orders can be seen, by name, whether such a worker is there or not."""
    ledger.drain(Drain("w9", "  two  words ", within_ms=0))
    ledger.drain(Drain("a worker"))
    clock.advance(5_000)
    now_ms = clock.now_us // 1_000

    ledger.drain(Drain("w9", "ünï", since_ms=1, within_ms=30_000))

    assert ledger.drains() == (
        Drain("a worker", "", now_ms - 5_000, FOREVER),
        Drain("w9", "ünï", now_ms, 30_000),
    )


def test_the_floor_can_be_seen(ledger: Ledger, clock: Clock) -> None:
    """What each announced worker said, what it holds, how long its word stands; a mere bidder is not there."""
    ledger.renew(renewal(worker="w2", slots=0))
    ledger.accept([job(), job(), job()])
    leases = sorted(take(ledger, worker="w2").record.id for _ in range(2))
    take(ledger, worker="never announced")
    ledger.drain(Drain("w2", "away"))
    _announce(ledger, "w1/a", "w1")
    clock.advance(1_500)

    first, second = ledger.workers()

    assert (first.incarnation, first.name, first.host, first.queues) == ("w1/a", "w1", "host", ("gpu",))
    assert (first.slots, first.fit, first.facts) == (2, Fit(now=("1s", "1s!")), '{"version": "1"}')
    assert (first.left_ms, first.held, first.drain) == (23_500, (), None)
    assert (second.incarnation, [id for id, _ in second.held]) == ("w2", leases)
    assert second.drain == ledger.drains()[0]
    kept = ledger.kept(leases)
    assert second.held == tuple((each.record.id, each.record.fence) for each in kept if each is not None)


def test_a_silent_worker_is_seen_until_it_is_forgotten(ledger: Ledger, clock: Clock) -> None:
    """Its announcement has less than nothing left."""
    started(ledger)
    ledger.renew(renewal())
    for _ in range(13):
        clock.advance(2_000)
        ledger.wake(1)

    assert [state.left_ms for state in ledger.workers()] == [-1_000]
    ledger.expire(10)
    assert ledger.workers() == ()


def test_a_queued_job_knows_how_many_stand_before_it(ledger: Ledger, clock: Clock) -> None:
    """Of its queue, in all shapes, by priority and time; jobs that are not queued stand nowhere."""
    first, second = job(), job(shape="2s")
    last, urgent = job(), job(shape="4s", priority=9)
    ledger.accept([first, second, job(queue="other"), waiting := job(wake_ms=clock.now_us // 1_000 + 9_000)])
    clock.advance(1)
    ledger.accept([last, urgent])
    ledger.pause("gpu")

    places = [ledger.place(item.id) for item in (urgent, first, second, last)]

    assert [place.ahead for place in places if place is not None] == [0, 1, 2, 3]
    assert {(place.ready, place.paused, place.reserved_by) for place in places if place is not None} == {
        (4, True, "")
    }
    assert (ledger.place(waiting.id), ledger.place("unknown")) == (None, None)
    ledger.resume("gpu")
    lease = take(ledger)
    assert ledger.place(lease.record.id) is None
    assert ledger.place(last.id) is not None
