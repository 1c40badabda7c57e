"""Jobs that come after others: freed when these end as they must, revoked when they do not (rule 24)."""

from __future__ import annotations

import pytest

from contract.ledger.conftest import RETENTION_MS, Clock
from contract.ledger.sample import bid, end, job, keyed, started, status, take
from contract.ledger.test_groups import counted, group, record
from hysds.core.kin import ROOM
from hysds.core.record import FOREVER, GROUP
from hysds.core.requests import FINISHED, Accepting, Purge, Ready, Staging
from hysds.core.status import Status
from hysds.ports.ledger import Ledger

_ENDS = (Status.COMPLETED, Status.FAILED)


def test_a_job_waits_until_all_that_it_comes_after_have_completed(ledger: Ledger) -> None:
    """Then it is ready, in the step that ends the last of them; a job named twice counts once."""
    one, two = job(priority=9), job(priority=8)
    after = job(after=(one.id, two.id, one.id))

    ledger.accept([one, two, after])

    waiting = record(ledger, after.id)
    assert (waiting.status, waiting.reason, waiting.after_left) == (Status.WAITING, "after", 2)
    ledger.commit(end(take(ledger)))
    assert record(ledger, after.id).after_left == 1
    ready = ledger.commit(end(take(ledger))).ready
    assert ready == (Ready("gpu", 1, 1, 0),)
    assert take(ledger).record.id == after.id


@pytest.mark.parametrize("how", _ENDS, ids=[each.value for each in _ENDS])
def test_finished_is_satisfied_by_any_end(ledger: Ledger, how: Status) -> None:
    """`on: finished`: what is to be cleaned up is cleaned up after a failure too."""
    first = started(ledger, job())
    after = job(after=(first.record.id,), after_on=FINISHED)
    ledger.accept([after])

    ledger.commit(end(first, how))

    assert status(ledger, after.id) is Status.QUEUED


def test_a_failed_dependency_revokes_all_that_come_after_it(ledger: Ledger) -> None:
    """With the reason; and those that come after these, in the same step. Their keys are free."""
    first = started(ledger, job())
    second = keyed(after=(first.record.id,))
    third = job(after=(second.id,))
    ledger.accept([second, third])

    ledger.commit(end(first, Status.FAILED, reason="user"))

    assert (record(ledger, second.id).status, record(ledger, second.id).reason) == (
        Status.REVOKED,
        f"dependency {first.record.id}",
    )
    assert record(ledger, third.id).reason == f"dependency {second.id}"
    assert ledger.accept([keyed()]).answers[0].how is Accepting.ACCEPTED


def test_a_cancelled_dependency_is_a_failed_one(ledger: Ledger) -> None:
    """Whoever wanted it gone wants nothing of what it would have made."""
    first = job()
    after = job(after=(first.id,))
    ledger.accept([first, after])

    ledger.cancel([first.id])

    assert record(ledger, after.id).reason == f"dependency {first.id}"


def test_what_has_ended_already_is_judged_at_once(ledger: Ledger) -> None:
    """Completed: nothing to wait for. Failed: revoked at birth, and its dedup key stays free."""
    done, failed = started(ledger, job()), started(ledger, job())
    ledger.commit(end(done))
    ledger.commit(end(failed, Status.FAILED, reason="user"))
    good, bad = job(after=(done.record.id,)), keyed(after=(failed.record.id,))

    answers = ledger.accept([good, bad]).answers

    assert [(each.how, each.status) for each in answers] == [
        (Accepting.ACCEPTED, "job-queued"),
        (Accepting.ACCEPTED, "job-revoked"),
    ]
    assert record(ledger, bad.id).reason == f"dependency {failed.record.id}"
    assert ledger.accept([keyed()]).answers[0].how is Accepting.ACCEPTED


def test_an_unknown_dependency_is_refused_by_its_name(ledger: Ledger) -> None:
    """The job itself too: so there are no cycles."""
    itself = job()
    bad = job(id=itself.id, after=(itself.id,))
    also_bad = job(after=("nobody",))

    answers = ledger.accept([bad, also_bad]).answers

    assert [(each.how, each.twin) for each in answers] == [
        (Accepting.NO_DEPENDENCY, bad.id),
        (Accepting.NO_DEPENDENCY, "nobody"),
    ]
    assert ledger.kept([bad.id]) == (None,)


def test_a_submitter_that_knows_better_says_so(ledger: Ledger) -> None:
    """`doomed`: a job that the ledger forgot and that had failed."""
    item = job(doomed="forgotten")

    answer = ledger.accept([item]).answers[0]

    assert (answer.how, answer.status) == (Accepting.ACCEPTED, "job-revoked")
    assert record(ledger, item.id).reason == "dependency forgotten"


def test_a_duplicate_stands_for_the_job_that_it_is_a_duplicate_of(ledger: Ledger) -> None:
    """Whoever comes after it comes after that."""
    twin, duplicate = keyed(), keyed()
    ledger.accept([twin, duplicate])
    after = job(after=(duplicate.id,))

    ledger.accept([after])

    assert record(ledger, after.id).after_left == 1
    ledger.commit(end(take(ledger)))
    assert status(ledger, after.id) is Status.QUEUED


def test_a_duplicate_of_a_job_that_was_purged_stands_for_nothing(ledger: Ledger) -> None:
    """How its twin ended, the ledger can't tell: what comes after it is refused, and a member is revoked."""
    twin, duplicate = keyed(), keyed()
    ledger.accept([twin, duplicate])
    ledger.commit(end(take(ledger), Status.FAILED, reason="user"))
    _purge(ledger, twin.id)
    parent = job(kind=GROUP, members=1)
    member = job(parent=parent.id, after=(duplicate.id,))

    [answer] = ledger.accept([job(after=(duplicate.id,))]).answers
    ledger.accept([parent, member])

    assert (answer.how, answer.twin) == (Accepting.NO_DEPENDENCY, duplicate.id)
    assert status(ledger, member.id) is Status.REVOKED


def test_a_duplicate_of_a_job_that_had_completed_stands_for_it_after_its_purge(ledger: Ledger) -> None:
    """That it had is on the duplicate's own record."""
    twin, duplicate = keyed(window_ms=FOREVER), keyed()
    ledger.accept([twin])
    ledger.commit(end(take(ledger)))
    ledger.accept([duplicate])
    _purge(ledger, twin.id)
    after = job(after=(duplicate.id,))

    ledger.accept([after])

    assert status(ledger, after.id) is Status.QUEUED


def _purge(ledger: Ledger, id: str) -> None:
    ledger.confirm([(id, record(ledger, id).revision)])
    ledger.purge([Purge(id)])
    assert status(ledger, id) is None


def test_time_counts_once_the_others_have_ended(ledger: Ledger, clock: Clock) -> None:
    """A `not_before` that is over by then is no matter; one that is not is waited for."""
    now_ms = clock.now_us // 1_000
    first = started(ledger, job())
    soon = job(after=(first.record.id,), wake_ms=now_ms + 1_000)
    late = job(after=(first.record.id,), wake_ms=now_ms + 60_000)
    ledger.accept([soon, late])
    clock.advance(2_000)
    assert ledger.wake(10).answers == ()

    ledger.commit(end(first))

    assert [status(ledger, each.id) for each in (soon, late)] == [Status.QUEUED, Status.WAITING]
    assert record(ledger, late.id).reason == "time"
    clock.advance(60_000)
    assert ledger.wake(10).answers == ((late.id, "job-queued"),)


def test_a_ttl_runs_while_a_job_waits_for_others(ledger: Ledger, clock: Clock) -> None:
    """And a cancel reaches it; the other's end later finds nothing to do."""
    first = started(ledger, job())
    short, cancelled = (
        job(after=(first.record.id,), ttl_for_ms=1_000),
        job(after=(first.record.id,)),
    )
    ledger.accept([short, cancelled])
    clock.advance(1_000)

    assert ledger.expire(10).answers == ((short.id, "job-failed"),)
    assert ledger.cancel([cancelled.id]).answers == ((cancelled.id, "job-revoked"),)
    assert ledger.commit(end(first)).ready == ()
    assert [status(ledger, each.id) for each in (short, cancelled)] == [Status.FAILED, Status.REVOKED]


def test_many_dependents_are_freed_in_parts_and_until_then_the_job_is_not_forgotten(
    ledger: Ledger, clock: Clock
) -> None:
    """The step that ends a job frees so many, `settle` the rest."""
    first = started(ledger, job())
    others = [job(after=(first.record.id,)) for _ in range(ROOM + 30)]
    ledger.accept(others)

    made = ledger.commit(end(first)).ready
    ledger.confirm([(first.record.id, record(ledger, first.record.id).revision)])
    clock.advance(RETENTION_MS)
    kept = ledger.forget([first.record.id])
    rest = ledger.settle(500)

    assert (made[0].jobs, rest.ready[0].jobs, rest.more) == (ROOM, 30, False)
    assert kept == ()
    assert ledger.forget([first.record.id]) == (first.record.id,)


def test_a_group_may_come_after_others_and_others_after_it(ledger: Ledger) -> None:
    """Its members enter when those have ended; whoever comes after it waits for all of them."""
    first = started(ledger, job())
    parent, members = group(2, staged=2, after=(first.record.id,))
    last = job(after=(parent.id,))
    ledger.accept([parent, last])
    ledger.stage(parent.id, 0, members)
    assert ledger.seal(parent.id) is Staging.SEALED

    assert ledger.settle(10).answers == ()
    assert record(ledger, parent.id).reason == "after"
    ledger.commit(end(first))
    assert record(ledger, parent.id).reason == "members"
    assert len(ledger.settle(10).answers) == 2
    ledger.commit(end(take(ledger)))
    assert status(ledger, last.id) is Status.WAITING
    ledger.commit(end(take(ledger)))
    assert (status(ledger, parent.id), status(ledger, last.id)) == (Status.COMPLETED, Status.QUEUED)


def test_a_group_whose_dependency_fails_takes_nobody_in(ledger: Ledger) -> None:
    """It is revoked with the reason, its members counted so; sealed or not yet."""
    first = started(ledger, job())
    parent, members = group(2, staged=2, after=(first.record.id,))
    unsealed, _ = group(2, staged=2, after=(first.record.id,))
    ledger.accept([parent, unsealed])
    ledger.stage(parent.id, 0, members)
    ledger.seal(parent.id)

    ledger.commit(end(first, Status.FAILED, reason="user"))

    assert [record(ledger, each.id).reason for each in (parent, unsealed)] == [
        f"dependency {first.record.id}"
    ] * 2
    assert counted(ledger, parent.id) == {"total": 2, "revoked": 2}
    assert ledger.settle(10).answers == ()
    assert ledger.claim(bid()).lease is None


def test_members_may_come_after_members_of_their_group(ledger: Ledger) -> None:
    """Of those before them: a small graph goes in whole, in one step or staged."""
    for staged in (0, 2):
        parent = job(kind=GROUP, members=2, staged=staged)
        first = job(parent=parent.id)
        second = job(parent=parent.id, after=(first.id,))
        ledger.accept([parent] if staged else [parent, first, second])
        if staged:
            ledger.stage(parent.id, 0, [first, second])
            ledger.seal(parent.id)
            ledger.settle(10)

        assert [status(ledger, each.id) for each in (first, second)] == [Status.QUEUED, Status.WAITING]
        ledger.commit(end(take(ledger)))
        ledger.commit(end(take(ledger)))
        assert status(ledger, parent.id) is Status.COMPLETED
