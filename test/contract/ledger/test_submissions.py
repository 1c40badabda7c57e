"""Accept, reject and dedup: what enters the ledger, and as what (rules 7, 10, 11 and the ids)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.ledger.conftest import RETENTION_MS, Clock
from contract.ledger.sample import bid, end, job, keyed, started, status, take
from hysds.core.record import FOREVER
from hysds.core.requests import Accepting, Answer, Ready
from hysds.core.shapes import MAX_SHAPES_PER_QUEUE
from hysds.core.status import Status
from hysds.lib import uuid7
from hysds.ports.ledger import Ledger, QueueState


def test_an_accepted_job_is_ready_and_kept_whole(ledger: Ledger) -> None:
    """Its spec is stored as it came, whatever characters it has, and values of any length come back."""
    item = job(queue="q" * 200, spec='{"é": "\\u0000", "emoji": "🛰"}', digest="d" * 300)

    answer = ledger.accept([item])

    assert answer.answers == (Answer(Accepting.ACCEPTED, "job-queued"),)
    assert answer.ready == (Ready(item.queue, jobs=1, unheard=1, hearers=0),)
    kept = ledger.kept([item.id, "unknown"])
    assert kept[1] is None
    assert kept[0] is not None
    assert (kept[0].spec, kept[0].record.queue, kept[0].record.digest) == (item.spec, item.queue, item.digest)


def test_a_repeated_submission_reads_its_answer_from_the_record(ledger: Ledger) -> None:
    """The reply was lost: the same call again makes no second job, even after the job went on."""
    lease = started(ledger, first := job())

    again = ledger.accept([first]).answers[0]

    assert (again.how, again.status) == (Accepting.REPEATED, "job-started")
    assert lease.record.id == first.id


def test_the_same_id_with_another_spec_is_a_conflict(ledger: Ledger) -> None:
    """An id names one job."""
    ledger.accept([first := job()])

    answer = ledger.accept([replace(first, digest="another", spec="{}")]).answers[0]

    assert answer.how is Accepting.CONFLICT


def test_an_id_from_before_the_retention_is_refused(ledger: Ledger, clock: Clock) -> None:
    """Nobody could tell a late repeat of a forgotten job from a new one."""
    late = uuid7.compose(clock.now_us // 1_000 - RETENTION_MS - 1, 1, 1)
    other_version = "0b0e8c3a-1111-4111-8111-000000000001"

    answers = ledger.accept([job(id=late), job(id=other_version)]).answers

    assert [answer.how for answer in answers] == [Accepting.TOO_OLD, Accepting.ACCEPTED]


def test_more_jobs_than_one_atomic_step_takes_are_all_accepted(ledger: Ledger) -> None:
    """A batch of 1,201 goes in three parts, and its answer is one."""
    batch = [job() for _ in range(1_201)]

    answer = ledger.accept(batch)

    assert {given.how for given in answer.answers} == {Accepting.ACCEPTED}
    assert len(answer.answers) == 1_201
    assert answer.ready == (Ready("gpu", 1_201, 1_201, 0),)
    assert ledger.queues() == (QueueState("gpu", 1_201, False),)


def test_a_queue_has_a_bounded_number_of_shapes(ledger: Ledger) -> None:
    """One more is refused; a known shape and another queue are not."""
    ledger.accept([job(shape=f"{n + 1}s") for n in range(MAX_SHAPES_PER_QUEUE)])

    answers = ledger.accept([job(shape="999s"), job(shape="7s"), job(shape="999s", queue="other")]).answers

    assert [answer.how for answer in answers] == [Accepting.FULL, Accepting.ACCEPTED, Accepting.ACCEPTED]


def test_a_refused_submission_with_an_id_can_be_seen(ledger: Ledger) -> None:
    """It has a record, failed as invalid, with the complaints; its repeat is one."""
    item = job()

    first, second = ledger.reject(item, '{"complaints": []}'), ledger.reject(item, "{}")

    assert (first.how, second.how) == (Accepting.ACCEPTED, Accepting.REPEATED)
    kept = ledger.kept([item.id])[0]
    assert kept is not None
    assert (kept.record.status, kept.record.reason, kept.error) == (
        Status.FAILED,
        "invalid",
        '{"complaints": []}',
    )


def test_a_duplicate_has_a_record_that_names_the_job_that_stands_for_it(ledger: Ledger) -> None:
    """The repeat of the duplicate's submission answers the same."""
    ledger.accept([first := keyed(), second := keyed()])

    again = ledger.accept([second]).answers[0]

    assert (again.how, again.twin, again.twin_status) == (Accepting.REPEATED, first.id, "job-queued")
    assert status(ledger, second.id) is Status.DEDUPED


def test_the_new_submission_says_which_states_make_it_a_duplicate(ledger: Ledger) -> None:
    """A key of a queued job does not bind one that only minds completed jobs."""
    ledger.accept([keyed()])

    answers = ledger.accept([keyed(twins=frozenset({Status.COMPLETED})), keyed()]).answers

    assert [answer.how for answer in answers] == [Accepting.ACCEPTED, Accepting.DEDUPED]


@pytest.mark.parametrize("outcome", [Status.FAILED, Status.REVOKED])
def test_a_key_is_free_in_the_step_in_which_its_job_fails_or_is_revoked(
    ledger: Ledger, outcome: Status
) -> None:
    """The next submission runs."""
    lease = started(ledger, keyed())
    if outcome is Status.REVOKED:
        ledger.cancel([lease.record.id])
    ledger.commit(end(lease, outcome))

    assert ledger.accept([keyed()]).answers[0].how is Accepting.ACCEPTED


def test_a_forced_twin_never_takes_the_key(ledger: Ledger) -> None:
    """Taken, the key would be freed by the twin's cancel, and a third would run beside the first."""
    ledger.accept([first := keyed(), forced := keyed(may_repeat=True)])

    ledger.cancel([forced.id])

    answer = ledger.accept([keyed()]).answers[0]
    assert (answer.how, answer.twin) == (Accepting.DEDUPED, first.id)


def test_a_retry_takes_the_key_of_the_ended_job_that_it_names(ledger: Ledger) -> None:
    """It is no duplicate of the completed job, and the next one is a duplicate of the retry."""
    lease = started(ledger, keyed(window_ms=FOREVER))
    ledger.commit(end(lease))

    ledger.accept([retry := keyed(retry_of=lease.record.id)])

    answer = ledger.accept([keyed()]).answers[0]
    assert (answer.how, answer.twin, answer.twin_status) == (Accepting.DEDUPED, retry.id, "job-queued")


def test_a_key_outlives_the_record_of_its_completed_job(ledger: Ledger, clock: Clock) -> None:
    """A key without a record stands for a completed job, until its window is over."""
    lease = started(ledger, keyed(window_ms=200_000))
    ledger.commit(end(lease))
    kept = ledger.kept([lease.record.id])[0]
    assert kept is not None
    assert ledger.confirm([(lease.record.id, kept.record.revision)]) == (True,)
    clock.advance(RETENTION_MS)
    assert ledger.forget(ledger.retirable(10)) == (lease.record.id,)

    assert ledger.kept([lease.record.id]) == (None,)
    assert (
        ledger.accept([keyed(id="0b0e8c3a-1111-4111-8111-000000000001")]).answers[0].twin_status
        == "job-completed"
    )
    clock.advance(200_000)
    assert (
        ledger.accept([keyed(id="0b0e8c3a-1111-4111-8111-000000000002")]).answers[0].how is Accepting.ACCEPTED
    )


def test_the_keys_of_ended_windows_are_dropped_with_forget(ledger: Ledger, clock: Clock) -> None:
    """A key is not kept for ever only because nobody asked for its digest again."""
    ledger.commit(end(started(ledger, keyed(window_ms=1_000))))
    clock.advance(1_000)

    assert ledger.forget(()) == ()
    assert ledger.accept([keyed()]).answers[0].how is Accepting.ACCEPTED


def test_a_job_for_later_waits_and_takes_its_place_from_when_it_is_due(ledger: Ledger, clock: Clock) -> None:
    """It is ready at its time, behind what was ready before."""
    later = job(wake_ms=clock.now_us // 1_000 + 5_000)
    assert ledger.accept([later]).answers[0].status == "job-waiting"
    clock.advance(4_999)
    assert ledger.wake(10).answers == ()
    ledger.accept([sooner := job()])
    clock.advance(1)

    assert ledger.wake(10).answers == ((later.id, "job-queued"),)
    assert [take(ledger).record.id, take(ledger).record.id] == [sooner.id, later.id]


def test_an_unclaimed_job_ends_with_its_ttl_and_a_claimed_one_does_not(ledger: Ledger, clock: Clock) -> None:
    """The ttl ends at the first claim, so a job that comes back later has none."""
    lease = started(ledger, job(ttl_for_ms=3_000))
    ledger.accept([waits := job(ttl_for_ms=3_000)])
    ledger.release(lease.record.id, lease.record.fence)
    clock.advance(3_000)

    assert ledger.expire(10).answers == ((waits.id, "job-failed"),)
    assert status(ledger, lease.record.id) is Status.QUEUED


def test_a_deadline_may_be_given_from_the_acceptance(ledger: Ledger, clock: Clock) -> None:
    """It counts on the ledger's time; of a time and a duration the earlier one holds."""
    now_ms = clock.now_us // 1_000
    late, soon = job(deadline_for_ms=9_000), job(deadline_for_ms=9_000, deadline_ms=now_ms + 4_000)
    ledger.accept([late, soon])

    kept = ledger.kept([late.id, soon.id])
    assert [one.record.deadline_ms - now_ms for one in kept if one is not None] == [9_000, 4_000]


def test_a_deadline_comes_back_with_a_job_that_comes_back(ledger: Ledger, clock: Clock) -> None:
    """An entry that was dropped for the started job would never time it out later."""
    lease = started(ledger, job(deadline_ms=clock.now_us // 1_000 + 8_000))
    clock.advance(8_000)
    assert ledger.expire(10).answers == ()
    ledger.release(lease.record.id, lease.record.fence)

    assert ledger.expire(10).answers == ((lease.record.id, "job-failed"),)
    assert ledger.claim(bid()).lease is None


def test_a_job_keeps_what_kind_it_is(ledger: Ledger) -> None:
    """A command by default, which costs the record nothing; a task is told by its record at the claim."""
    plain, task = job(), job(kind="task")

    ledger.accept([plain, task])

    assert [kept.record.kind for kept in ledger.kept([plain.id, task.id]) if kept] == ["", "task"]
