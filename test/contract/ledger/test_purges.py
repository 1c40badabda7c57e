"""Purges: ended jobs go for good, live ones never, and keys only while they name the purged job (rule 19)."""

from __future__ import annotations

import pytest

from contract.ledger.conftest import RETENTION_MS, Clock
from contract.ledger.sample import bid, end, job, keyed, started, status
from contract.ledger.side_by_side import audited
from hysds.core.requests import Acceptance, Accepting, Purge, Purged, Purging
from hysds.core.status import Status
from hysds.ports.ledger import Ledger

_MS = 1_000


def _ended(ledger: Ledger, item: Acceptance, how: Status = Status.COMPLETED) -> tuple[str, int]:
    """An ended job whose document the store holds: its id and last revision."""
    lease = started(ledger, item)
    ledger.commit(end(lease, how, reason="" if how is Status.COMPLETED else "user"))
    return item.id, _written(ledger, item.id)


def _written(ledger: Ledger, id: str) -> int:
    [kept] = ledger.kept([id])
    assert kept is not None
    assert ledger.confirm([(id, kept.record.revision)]) == (True,)
    return kept.record.revision


def test_a_purged_job_is_gone_from_every_place(ledger: Ledger, clock: Clock) -> None:
    """Record, spec, attempts and its turn to be forgotten; the answer says where it stood and at which revision."""
    id, revision = _ended(ledger, job(), Status.FAILED)

    assert ledger.purge([Purge(id), Purge(id)]) == (
        Purged(Purging.PURGED, "job-failed", revision),
        Purged(Purging.MISSING),
    )
    assert ledger.kept([id]) == (None,)
    clock.advance(RETENTION_MS)
    assert ledger.retirable(10) == ()
    assert audited(ledger) == []


def test_a_live_job_is_never_purged(ledger: Ledger, clock: Clock) -> None:
    """Queued, waiting or started: it says where it stands, and goes on."""
    running = started(ledger)
    ledger.accept([waiting := job(wake_ms=clock.now_us // _MS + 9_000), queued := job()])

    answers = ledger.purge([Purge(running.record.id), Purge(waiting.id), Purge(queued.id)])

    assert [(answer.how, answer.status) for answer in answers] == [
        (Purging.LIVE, "job-started"),
        (Purging.LIVE, "job-waiting"),
        (Purging.LIVE, "job-queued"),
    ]
    assert ledger.commit(end(running)).status == "job-completed"
    assert ledger.claim(bid()).lease is not None


def test_a_job_whose_end_the_store_does_not_hold_is_left(ledger: Ledger) -> None:
    """Its document is the last thing to go: a purge that was killed is found by it, and done again."""
    lease = started(ledger)
    ledger.commit(end(lease))
    id = lease.record.id

    assert ledger.purge([Purge(id)]) == (Purged(Purging.UNWRITTEN, "job-completed"),)
    _written(ledger, id)
    ledger.accept([job(retry_of=id)])

    assert ledger.purge([Purge(id)])[0].how is Purging.UNWRITTEN
    _written(ledger, id)
    assert ledger.purge([Purge(id)])[0].how is Purging.PURGED


def test_a_purged_job_stands_for_no_duplicate(ledger: Ledger) -> None:
    """Its work may be asked for again at once."""
    id, _ = _ended(ledger, keyed())
    assert ledger.accept([keyed()]).answers[0].how is Accepting.DEDUPED

    ledger.purge([Purge(id)])

    assert ledger.accept([keyed()]).answers[0].how is Accepting.ACCEPTED


@pytest.mark.parametrize("is_told", [True, False])
def test_the_key_of_a_forgotten_job_goes_by_its_digest(ledger: Ledger, clock: Clock, is_told: bool) -> None:
    """Its record is forgotten, and its key stands for the window: whoever purges says what its document says."""
    id, _ = _ended(ledger, keyed(window_ms=10 * RETENTION_MS))
    clock.advance(RETENTION_MS)
    assert ledger.forget(ledger.retirable(1)) == (id,)

    assert ledger.purge([Purge(id, "same" if is_told else "")]) == (Purged(Purging.MISSING),)
    [answer] = ledger.accept([keyed()]).answers
    assert answer.how is (Accepting.ACCEPTED if is_told else Accepting.DEDUPED)


def test_a_key_that_names_another_job_stays(ledger: Ledger) -> None:
    """A duplicate and a forced twin are purged, and the job that stands for the work goes on doing so."""
    ledger.accept([first := keyed()])
    [answer] = ledger.accept([second := keyed()]).answers
    assert answer.how is Accepting.DEDUPED
    _written(ledger, second.id)
    ledger.accept([forced := keyed(may_repeat=True)])
    ledger.cancel([forced.id])
    _written(ledger, forced.id)

    answers = ledger.purge([Purge(second.id, "same"), Purge(forced.id, "same"), Purge("unknown", "same")])

    assert [answer.how for answer in answers] == [Purging.PURGED, Purging.PURGED, Purging.MISSING]
    assert ledger.accept([keyed()]).answers[0].twin == first.id
    assert status(ledger, first.id) is Status.QUEUED


def test_a_forced_twin_is_told_what_it_would_have_matched(ledger: Ledger, clock: Clock) -> None:
    """It is accepted all the same; so also beside a completed one within its window, and after it no more."""
    ledger.accept([first := keyed(window_ms=5_000)])
    [beside_live] = ledger.accept([keyed(may_repeat=True, queue="other")]).answers
    lease = ledger.claim(bid()).lease
    assert lease is not None
    ledger.commit(end(lease))
    [beside_done] = ledger.accept([keyed(may_repeat=True, queue="other")]).answers
    clock.advance(5_001)
    [after] = ledger.accept([keyed(may_repeat=True, queue="other")]).answers

    assert (beside_live.how, beside_live.twin, beside_live.twin_status) == (
        Accepting.ACCEPTED,
        first.id,
        "job-queued",
    )
    assert (beside_done.how, beside_done.twin_status) == (Accepting.ACCEPTED, "job-completed")
    assert (after.how, after.twin) == (Accepting.ACCEPTED, "")
