"""The last attempt that the worker-lost budget allows runs alone on its worker (rule 18)."""

from __future__ import annotations

from contract.ledger.conftest import Clock
from contract.ledger.sample import bid, end, held, job, renewal, started, status, take
from hysds.core.requests import Lease
from hysds.core.status import Status
from hysds.ports.ledger import Ledger


def _last(ledger: Ledger) -> Lease:
    """A job in its last attempt; nothing else is ready."""
    started(ledger, job(lost_left=1))
    ledger.leave("w1")
    return take(ledger)


def test_the_jobs_beside_one_that_kills_workers_complete(ledger: Ledger) -> None:
    """The killer fails, as before, with its third worker; no other does."""
    ledger.accept([killer := job(), *(others := [job(), job()])])
    for worker in ("w1", "w2"):
        assert [take(ledger, worker=worker).record.id for _ in range(3)] == [
            killer.id,
            *(one.id for one in others),
        ]
        ledger.leave(worker)

    assert take(ledger, worker="w3").record.id == killer.id
    assert ledger.claim(bid(worker="w3")).lease is None
    assert ledger.leave("w3").answers == ((killer.id, "job-failed"),)
    for _ in others:
        ledger.commit(end(take(ledger, worker="w4")))
    assert [status(ledger, one.id) for one in others] == [Status.COMPLETED] * 2


def test_a_first_attempt_that_is_the_last_one_too_runs_as_any_other(ledger: Ledger) -> None:
    """A job that may run but once fails with its first worker, as it was asked for."""
    ledger.accept([once := job(lost_left=0), beside := job()])

    assert [take(ledger).record.id, take(ledger).record.id] == [once.id, beside.id]
    assert dict(ledger.leave("w1").answers)[once.id] == "job-failed"


def test_nothing_is_taken_beside_a_last_attempt_until_it_ends(ledger: Ledger) -> None:
    """Neither by a bid, nor by one in a commit of another; a renewal tells of no work; then all goes on."""
    lease = _last(ledger)
    ledger.accept([following := job()])

    assert ledger.claim(bid()) == type(ledger.claim(bid()))()
    renewed = ledger.renew(renewal(held(lease)))
    assert (renewed.ready, renewed.unknown) == (False, ())
    claimed = ledger.commit(end(lease), bid()).claimed
    assert claimed is not None
    assert claimed.lease is not None
    assert claimed.lease.record.id == following.id


def test_a_worker_that_holds_something_does_not_get_a_last_attempt(ledger: Ledger) -> None:
    """Another that holds nothing does; the others' work goes on meanwhile."""
    started(ledger, job(lost_left=1), worker="w9")
    busy = started(ledger)
    ledger.leave("w9")
    ledger.accept([other := job()])

    assert take(ledger).record.id == other.id
    assert ledger.claim(bid()).more is False
    assert ledger.renew(renewal(held(busy))).ready is False
    assert take(ledger, worker="w2").record.shape == "1s!"


def test_a_busy_host_is_kept_free_for_a_last_attempt_that_has_waited_long(
    ledger: Ledger, clock: Clock
) -> None:
    """It does not starve: nothing else begins there, and when the host is empty it runs."""
    started(ledger, job(lost_left=1), worker="w9")
    busy = started(ledger)
    clock.advance(5_000)
    ledger.leave("w9")
    ledger.accept([other := job()])

    assert ledger.claim(bid()).lease is None
    first = ledger.commit(end(busy), bid()).claimed
    assert first is not None
    assert first.lease is not None
    assert (first.lease.record.shape, status(ledger, other.id)) == ("1s!", Status.QUEUED)


def test_a_last_attempt_stays_alone_with_more_memory(ledger: Ledger) -> None:
    """The shape of its next attempt has the mark too."""
    lease = _last(ledger)

    ledger.commit(end(lease, Status.QUEUED, shape="1s2048m", memory_bytes=2 << 30))

    assert ledger.claim(bid()).unknown == ("1s2048m!",)


def test_only_an_idle_worker_is_woken_for_a_last_attempt_and_none_beside_it(ledger: Ledger) -> None:
    """A pledge that the claim would refuse keeps the job from others."""
    started(ledger, job(lost_left=1), worker="w9")
    ledger.renew(renewal(worker="w9"))
    busy = started(ledger)
    ledger.renew(renewal(held(busy), slots=4))
    ledger.renew(renewal(worker="w2", slots=4))
    ledger.listen("w2", 0)

    assert ledger.leave("w9").ready[0].unheard == 0
    assert (ledger.listen("w1", 0), ledger.listen("w2", 0)) == ((), ("wake",))
    take(ledger, worker="w2")
    ledger.renew(renewal(held(busy), slots=1))
    assert ledger.accept([job()]).ready[0].unheard == 1
