"""What is counted of each queue, and for how long it is known (rule 20)."""

from __future__ import annotations

from contract.ledger.conftest import RETENTION_MS, Clock
from contract.ledger.sample import bid, end, job, started, take
from hysds.core.queue_tallies import QUIET_MS, Pause, QueueTally
from hysds.core.status import Status
from hysds.ports.ledger import Ledger


def _one(ledger: Ledger, queue: str = "gpu") -> QueueTally:
    return next(one for one in ledger.tallies() if one.queue == queue)


def _rates(ledger: Ledger, clock: Clock) -> tuple[int, int]:
    """Jobs that came and went within the last minutes."""
    one = _one(ledger)
    return sum(one.came.counts), sum(one.went.counts)


def test_a_queue_says_where_its_jobs_stand(ledger: Ledger, clock: Clock) -> None:
    """Ready ones with the age of the oldest, whatever its priority; running; waiting by what they wait for."""
    started(ledger)
    born_ms = clock.now_us // 1_000
    ledger.accept([job(), job(wake_ms=born_ms + 9_000), job(queue="cpu")])
    clock.advance(1_000)
    ledger.accept([job(priority=9), job(priority=9, shape="2s")])

    one = _one(ledger)

    assert (one.ready, one.oldest_ms, one.running, one.waiting) == (3, born_ms, 1, (("time", 1),))
    assert (_one(ledger, "cpu").ready, _one(ledger, "cpu").running) == (1, 0)
    assert [one.queue for one in ledger.tallies()] == ["cpu", "gpu"]


def test_every_way_of_a_job_is_counted(ledger: Ledger, clock: Clock) -> None:
    """Claim, retry, release, cancel, amend, loss and end leave no count behind."""
    first = started(ledger)
    ledger.commit(end(first, Status.WAITING, reason="data", wake_ms=clock.now_us // 1_000 + 1_000))
    assert (_one(ledger).running, _one(ledger).waiting) == (0, (("time", 1),))
    clock.advance(1_000)
    ledger.wake(10)
    assert (_one(ledger).ready, _one(ledger).waiting) == (1, ())
    second = take(ledger)
    ledger.release(second.record.id, second.record.fence)
    ledger.amend([second.record.id], queue="cpu")
    assert [(one.queue, one.ready, one.running) for one in ledger.tallies()] == [("cpu", 1, 0), ("gpu", 0, 0)]
    ledger.cancel([second.record.id])
    lost = started(ledger, job(lost_left=0))
    ledger.leave("w1")

    assert lost.record.queue == "gpu"
    assert [(one.ready, one.running, one.waiting) for one in ledger.tallies()] == [(0, 0, ()), (0, 0, ())]
    assert _rates(ledger, clock) == (2, 1)
    assert sum(_one(ledger, "cpu").went.counts) == 1


def test_what_came_and_went_is_counted_by_the_minute(ledger: Ledger, clock: Clock) -> None:
    """For the present minute and five more; a clock that was set back counts into the newest one."""
    started(ledger)
    clock.advance(60_000)
    ledger.accept([job(), job()])
    assert _one(ledger).came.counts[:3] == (2, 1, 0)
    clock.advance(-120_000)
    ledger.accept([job()])
    assert _one(ledger).came.counts[:3] == (3, 1, 0)
    clock.advance(6 * 60_000)
    ledger.accept([job(id="00000000-0000-4000-8000-000000000001")])
    assert _one(ledger).came.counts == (1, 0, 0, 0, 3, 1)
    clock.advance(7 * 60_000)
    ledger.accept([job(id="00000000-0000-4000-8000-000000000002")])
    assert _one(ledger).came.counts == (1, 0, 0, 0, 0, 0)


def test_a_pause_says_why_and_since_when(ledger: Ledger, clock: Clock) -> None:
    """A new one replaces it, and a resumed queue has none; jobs of a paused one say so too."""
    ledger.pause("gpu", "new disks")
    at_ms = clock.now_us // 1_000
    assert _one(ledger).pause == Pause(at_ms, "new disks")
    ledger.accept([item := job()])
    place = ledger.place(item.id)
    assert place is not None
    assert place.pause == Pause(at_ms, "new disks")

    clock.advance(5)
    ledger.pause("gpu")
    assert _one(ledger).pause == Pause(at_ms + 5)
    ledger.resume("gpu")
    assert _one(ledger).pause is None
    assert ledger.claim(bid()).lease is not None


def test_a_queue_is_forgotten_when_it_was_not_used_for_long(ledger: Ledger, clock: Clock) -> None:
    """Not while a job of it lives, or it is paused; its rates stand until then."""
    ledger.accept([job(queue="ready")])
    ledger.pause("paused")
    started(ledger, job(queue="gpu"))
    ended = started(ledger, job(queue="gone"), queues=("gone",))
    ledger.commit(end(ended))

    clock.advance(QUIET_MS - 1)
    ledger.forget([])
    assert [one.queue for one in ledger.tallies()] == ["gone", "gpu", "paused", "ready"]
    clock.advance(1)
    ledger.forget([])
    assert [one.queue for one in ledger.tallies()] == ["gpu", "paused", "ready"]
    assert RETENTION_MS < QUIET_MS
