"""Each guarantee: a history that keeps all of them, and the smallest change that breaks one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hysds.chaos.checker import GUARANTEES, Violation, check
from hysds.chaos.history import Answer, Asked, Call, Effect, Kind, Leftover, Listed, Mark, Terms
from hysds.core.limit_keys import Limit
from hysds.core.record import FOREVER
from hysds.core.status import Status
from unit.chaos.histories import JOB, SECOND_US, TWIN, Stream, history, shown, work


def _names(violations: tuple[Violation, ...]) -> set[str]:
    return {violation.guarantee for violation in violations}


@pytest.fixture
def stream() -> Stream:
    """A job that lost its first worker and was completed by the second."""
    stream = Stream()
    stream.tell("accept", "queued")
    return stream


def _lost_then_completed(stream: Stream) -> tuple[int, int]:
    first = stream.take()
    stream.tell("expire", "queued")
    second = stream.take()
    stream.tell("commit", "completed")
    return first, second


def test_a_job_that_lost_its_worker_and_then_completed_keeps_every_guarantee(stream: Stream) -> None:
    """Half of the first attempt's effects, all of the second's, both listed."""
    first, second = _lost_then_completed(stream)
    document = shown(stream, Listed(first, "worker-lost"), Listed(second, "job-completed"))
    effects = (*work(JOB, first, marks=[Mark.BEGIN, Mark.STEP]), *work(JOB, second))
    answers = (
        Answer(Call.CLAIM, "w2", JOB, second, "", stream.entries[3].position, "n"),
        Answer(Call.RENEW, "w1", JOB, first, "lost", stream.entries[3].position),
        Answer(Call.COMMIT, "w2", JOB, second, "done", stream.entries[4].position),
        Answer(Call.COMMIT, "w1", JOB, first, "lost", stream.entries[4].position),
    )

    found = check(history(stream, effects=effects, documents={JOB: document}, answers=answers))

    assert found == ()


def test_a_job_that_never_ended_is_named_with_where_it_stands(stream: Stream) -> None:
    """Accepted and forgotten; and accepted, as the submitter was told, yet in no event."""
    violations = check(history(stream, Asked(JOB), Asked(TWIN)))

    assert [(one.guarantee, one.id) for one in violations] == [("ends once", JOB), ("ends once", TWIN)]
    assert "stands at job-queued" in violations[0].says
    assert "is in no event" in violations[1].says


def test_a_job_whose_submission_was_never_answered_may_be_in_no_event(stream: Stream) -> None:
    """Only an answer is a promise."""
    assert "ends once" in _names(check(history(stream, Asked(JOB, told=""))))
    assert check(history(Stream(), Asked(JOB, told=""))) == ()


def test_a_terminal_status_that_changes_is_shown_with_the_two_events_alone(stream: Stream) -> None:
    """The shortest history leaves out the claim that both share."""
    stream.take()
    stream.tell("commit", "completed")
    stream.tell("cancel", "revoked")

    [found] = [one for one in check(history(stream, Asked(JOB))) if one.guarantee == "stays ended"]

    assert "had ended job-completed and became job-revoked" in found.says
    assert [line.split()[1:3] for line in found.shown] == [["event", "commit:"], ["event", "cancel:"]]


def test_an_end_may_be_undone_where_a_failover_was(stream: Stream) -> None:
    """And only there: the job runs again, under a new fence and a higher revision."""
    stream.take()
    stream.tell("commit", "completed")
    stream.tell("expire", "queued")
    stream.take()
    stream.tell("commit", "completed")

    undone = history(stream, Asked(JOB), terms=Terms(may_undo=True))

    assert check(undone) == ()
    assert {"stays ended", "allowed steps"} <= _names(check(replace(undone, terms=Terms())))


def test_a_step_that_the_table_does_not_have_is_found(stream: Stream) -> None:
    """A claim of a started job, which is also a second lease."""
    stream.take()
    stream.take()
    stream.tell("commit", "completed")

    assert _names(check(history(stream, Asked(JOB)))) == {"allowed steps", "one lease at a time"}


def test_a_revision_or_a_fence_that_does_not_grow_is_found(stream: Stream) -> None:
    """Equal is not above; and a commit carries the fence of the latest claim."""
    claimed = stream.tell("claim", "started")
    stream.tell("commit", "queued", revision=claimed.event.revision)
    stream.tell("claim", "started", fence=claimed.event.fence)
    stream.tell("commit", "completed", fence=claimed.event.fence + 1)

    found = check(history(stream, Asked(JOB)))

    assert _names(found) == {"revisions grow", "fences grow"}
    assert len([one for one in found if one.guarantee == "fences grow"]) == 2


def test_an_end_that_a_job_of_its_kind_may_not_have_is_found(stream: Stream) -> None:
    """A command that can't succeed completed."""
    stream.take()
    stream.tell("commit", "completed")
    asked = Asked(JOB, ends=frozenset({Status.FAILED, Status.REVOKED}))

    [found] = check(history(stream, asked))

    assert found.says == "it ended job-completed, and may only end job-failed or job-revoked"


def test_a_cancelled_job_that_is_given_to_anybody_again_is_found(stream: Stream) -> None:
    """The cancel was asked while it ran; its release queued it."""
    stream.take()
    stream.tell("cancel", "started")
    stream.tell("release", "queued")
    stream.take()
    stream.tell("commit", "completed")

    [found] = check(history(stream, Asked(JOB, cancel="job-started")))

    assert found.guarantee == "a cancel is obeyed"
    assert [line.split()[2] for line in found.shown] == ["cancel:", "release:"]


def test_a_cancel_that_was_answered_and_lost_is_found(stream: Stream) -> None:
    """No event tells of it; or it was answered revoked and the job completed."""
    stream.take()
    stream.tell("commit", "completed")

    assert _names(check(history(stream, Asked(JOB, cancel="job-started")))) == {"a cancel is kept"}
    assert check(history(stream, Asked(JOB, cancel="ended"))) == ()


def test_an_effect_under_a_fence_that_nobody_claimed_is_found(stream: Stream) -> None:
    """Once for each such fence, however much it did."""
    fence = stream.take()
    stream.tell("commit", "completed")

    found = check(history(stream, effects=(*work(JOB, fence), *work(JOB, fence + 7))))

    assert [one.guarantee for one in found if one.guarantee.startswith("effects")] == [
        "effects under a claimed fence"
    ]


def test_a_winner_with_a_step_missing_or_doubled_is_found(stream: Stream) -> None:
    """Its effects are complete and single."""
    fence = stream.take()
    stream.tell("commit", "completed")
    whole = work(JOB, fence)

    assert _names(check(history(stream, effects=tuple(whole[:2] + whole[3:])))) == {"the winner is whole"}
    assert _names(check(history(stream, effects=(*whole, whole[2])))) == {"nothing twice"}
    assert check(history(stream, effects=tuple(whole))) == ()


def test_an_effect_of_a_lost_lease_after_the_next_claim_is_found(stream: Stream) -> None:
    """Even where the successor has done nothing yet; its keeper stopped, it is excused."""
    first, second = _lost_then_completed(stream)
    late = Effect(JOB, first, Mark.STRAY, 0, boot_us=second + 5, wall_us=second + 5)
    told = history(stream, effects=(late, *work(JOB, second)))

    [found] = check(told)

    assert found.guarantee == "no effect of a lost lease after the next claim"
    assert "5 µs after the claim" in found.says
    assert len(found.shown) == 3
    assert check(replace(told, terms=Terms(excused=frozenset({(JOB, first)})))) == ()


def test_attempts_that_do_not_take_turns_are_found_without_any_clock(stream: Stream) -> None:
    """The order in which a job's effects were written tells it, where clocks do not agree."""
    first, second = _lost_then_completed(stream)
    winner = work(JOB, second)
    late = Effect(JOB, first, Mark.STEP, 1, boot_us=0, wall_us=0)

    found = check(history(stream, effects=(*winner[:2], late, *winner[2:]), terms=Terms(one_clock=False)))

    assert [one.says for one in found] == [f"fence {first} did step 1 after fence {second} had done begin"]


def test_a_process_that_outlives_its_job_is_found(stream: Stream) -> None:
    """An effect after the terminal event."""
    fence = stream.take()
    end = stream.tell("commit", "completed").event.revision
    stray = Effect(JOB, fence, Mark.STRAY, 0, end + 1, end + 1)

    assert _names(check(history(stream, effects=(*work(JOB, fence), stray)))) == {"quiet after the end"}


def test_a_document_that_is_not_of_the_last_event_is_found(stream: Stream) -> None:
    """Missing, of an older revision, or of another status."""
    fence = stream.take()
    stream.tell("commit", "completed")
    right = shown(stream, Listed(fence, "job-completed"))
    wrong = (replace(right, revision=right.revision - 1), replace(right, status="job-started"))

    assert check(history(stream, Asked(JOB), documents={JOB: right})) == ()
    for documents in ({}, *({JOB: one} for one in wrong)):
        assert _names(check(history(stream, Asked(JOB), documents=documents))) == {
            "the document is the last word"
        }


def test_attempts_that_are_missing_invented_or_doubled_in_a_document_are_found(stream: Stream) -> None:
    """Each lease that was ended by a commit or a loss is listed once; one of them completed the job."""
    first, second = _lost_then_completed(stream)
    lost, won = Listed(first, "worker-lost"), Listed(second, "job-completed")

    def judged(*attempts: Listed) -> set[str]:
        documents = {JOB: shown(stream, *attempts)}
        return _names(check(history(stream, Asked(JOB), documents=documents)))

    assert judged(lost, won) == set()
    assert judged(won) == {"attempts are listed"}
    assert judged(lost, won, won) == {"attempts are listed", "one attempt completed"}
    assert judged(lost, Listed(7, "released"), won) == {"attempts are listed"}
    assert judged(replace(lost, how="job-completed"), won) == {"one attempt completed"}


def test_two_twins_that_are_live_at_once_are_found_and_a_forced_one_is_not(stream: Stream) -> None:
    """Whatever became of them later."""
    stream.tell("accept", "queued", TWIN)
    for id in (JOB, TWIN):
        stream.take(id)
        stream.tell("commit", "completed", id)
    jobs = (Asked(JOB, digest="d"), Asked(TWIN, digest="d"))

    [found] = check(history(stream, *jobs))

    assert found.says == f"job {TWIN} was accepted while its twin {JOB} was job-queued"
    assert len(found.shown) == 2
    assert check(history(stream, jobs[0], replace(jobs[1], forced=True))) == ()


def test_a_completed_job_stands_for_its_twins_for_its_window(stream: Stream) -> None:
    """For ever, or until the window is over."""
    stream.take()
    stream.tell("commit", "completed")
    stream.tell("accept", "queued", TWIN)
    stream.tell("cancel", "revoked", TWIN)
    jobs = (Asked(JOB, digest="d"), Asked(TWIN, digest="d"))

    assert _names(check(history(stream, *jobs, terms=Terms(dedup_window_ms=FOREVER)))) == {
        "one of its twins at a time"
    }
    assert check(history(stream, *jobs, terms=Terms(dedup_window_ms=SECOND_US // 1000))) == ()


def test_a_duplicate_of_a_job_that_failed_is_found(stream: Stream) -> None:
    """A key is released by a failure: nobody is dropped for it."""
    stream.take()
    stream.tell("commit", "failed")
    stream.tell("accept", "deduped", TWIN)
    asked = (Asked(JOB, digest="d"), Asked(TWIN, told="deduped", digest="d"))

    [found] = check(history(stream, *asked))

    assert found.says.endswith(f"{JOB} was job-failed")


@pytest.mark.parametrize(
    ("call", "said", "guarantee"),
    [
        (Call.CLAIM, "", "a lease told is live"),
        (Call.RENEW, "ok", "a lease told is live"),
        (Call.RENEW, "cancel", "a lease told is live"),
    ],
)
def test_a_lease_that_is_called_good_when_it_is_lost_is_found(
    stream: Stream, call: Call, said: str, guarantee: str
) -> None:
    """A claim's replay that hands out a dead lease, a renewal that anybody may make."""
    first, second = _lost_then_completed(stream)
    answer = Answer(call, "w1", JOB, first, said, stream.entries[3].position)

    found = check(history(stream, Asked(JOB), answers=(answer,)))

    assert guarantee in _names(found)
    assert f"that with fence {second} was live" in found[0].says


def test_a_lease_that_a_drained_worker_is_handed_is_found(stream: Stream) -> None:
    """Whoever records the answer knows of the order, and of what the bid had won before it."""
    fence = stream.take()
    answer = Answer(Call.CLAIM, "w1", JOB, fence, "", stream.entries[-1].position)
    stream.tell("commit", "completed")

    drained = history(stream, Asked(JOB), answers=(replace(answer, said="drained"),))

    assert _names(check(drained)) == {"a drained worker gets nothing"}
    assert check(replace(drained, answers=(answer,))) == ()


@pytest.mark.parametrize("call", [Call.RENEW, Call.NOTICE, Call.RELEASE, Call.COMMIT])
def test_a_live_lease_that_is_called_lost_is_found(stream: Stream, call: Call) -> None:
    """Lost names a lease, never a job."""
    _, second = _lost_then_completed(stream)
    answer = Answer(call, "w1", JOB, second, "lost", stream.entries[3].position)

    assert _names(check(history(stream, Asked(JOB), answers=(answer,)))) == {"a loss told is true"}


def test_a_commit_that_was_answered_and_is_in_no_event_is_found(stream: Stream) -> None:
    """Durability: what was told stays so. A repeat of the last commit is answered again, not lost."""
    fence = stream.take()
    end = stream.tell("commit", "completed").position
    done = Answer(Call.COMMIT, "w1", JOB, fence, "done", end)

    assert check(history(stream, Asked(JOB), answers=(done, replace(done, said="again")))) == ()
    assert _names(check(history(stream, Asked(JOB), answers=(replace(done, fence=7),)))) == {
        "a commit told is kept"
    }
    assert _names(check(history(stream, Asked(JOB), answers=(replace(done, said="lost"),)))) == {
        "a loss told is true"
    }


def test_a_release_that_was_answered_and_is_in_no_event_is_found(stream: Stream) -> None:
    """It was told queued, and the lease is held still."""
    fence = stream.take()
    at = stream.entries[-1].position
    stream.tell("commit", "completed")

    found = check(
        history(stream, Asked(JOB), answers=(Answer(Call.RELEASE, "w", JOB, fence, "job-queued", at),))
    )

    assert _names(found) == {"a release told is kept"}


def test_a_renewal_that_is_silent_about_a_cancel_is_found(stream: Stream) -> None:
    """Once asked it is repeated each time; and nobody is told of one that nobody asked for."""
    fence = stream.take()
    before = stream.entries[-1].position
    after = stream.tell("cancel", "started").position
    stream.tell("commit", "revoked")

    def judged(said: str, at: str) -> set[str]:
        answers = (Answer(Call.RENEW, "w1", JOB, fence, said, at),)
        return _names(check(history(stream, Asked(JOB), answers=answers)))

    assert judged("ok", before) == judged("cancel", after) == set()
    assert judged("ok", after) == judged("cancel", before) == {"a cancel is told"}


def test_a_nonce_that_wins_a_second_lease_while_the_first_is_live_is_found(stream: Stream) -> None:
    """Of another job, as a claim that forgot the nonce would; once the first is lost, it may."""
    stream.tell("accept", "queued", TWIN)
    first, at_first = stream.take(), stream.entries[-1].position
    second, at_second = stream.take(TWIN), stream.entries[-1].position
    for id in (JOB, TWIN):
        stream.tell("commit", "completed", id)
    answers = (
        Answer(Call.CLAIM, "w1", JOB, first, "", at_first, "n"),
        Answer(Call.CLAIM, "w1", TWIN, second, "", at_second, "n"),
    )

    found = check(history(stream, Asked(JOB), Asked(TWIN), answers=answers))

    assert _names(found) == {"one nonce, one lease"}
    assert (
        check(history(stream, Asked(JOB), Asked(TWIN), answers=(replace(answers[0], nonce="m"), answers[1])))
        == ()
    )


def test_what_is_left_behind_is_a_violation_by_itself(stream: Stream) -> None:
    """With its kind and what it is."""
    stream.tell("cancel", "revoked")

    [found] = check(history(stream, Asked(JOB), leftovers=(Leftover(Kind.KEY, "lease: 1 entry", JOB),)))

    assert (found.guarantee, found.says) == ("nothing is left", "a key is left: lease: 1 entry")


def test_an_event_of_a_job_that_nobody_asked_for_is_judged_too(stream: Stream) -> None:
    """Its fences grow or they do not."""
    stream.tell("claim", "queued", TWIN)

    assert TWIN in {one.id for one in check(history(stream, Asked(JOB)))}


def test_the_text_of_a_violation_is_its_sentence_and_the_facts_under_it(stream: Stream) -> None:
    """For a person who never saw the run."""
    stream.take()
    [found] = check(history(stream, Asked(JOB)))

    lines = found.text().splitlines()

    assert lines[0].startswith(f"ends once: job {JOB}: it was accepted and never ended")
    assert [line[:4] for line in lines[1:]] == ["    "] * len(found.shown)
    assert len(GUARANTEES) == len(set(GUARANTEES))


def test_more_jobs_of_a_key_than_it_has_places_are_shown_with_the_claims_alone(stream: Stream) -> None:
    """Jobs of other keys don't count, nor does one that was given back before."""
    limits = (Limit("key:k", 1),)
    for id in (JOB, TWIN):
        stream.tell("accept", "queued", id)
    stream.take(JOB)
    stream.tell("release", "queued", JOB)
    stream.take(TWIN)
    kept = history(stream, Asked(JOB, limits=limits), Asked(TWIN, limits=limits))
    stream.take(JOB)

    broken = history(stream, Asked(JOB, limits=limits), Asked(TWIN, limits=limits))

    assert "never over the limit" not in _names(check(kept))
    [found] = [one for one in check(broken) if one.guarantee == "never over the limit"]
    assert found.says == "2 jobs of key:k were started at once, and it has 1 places"
    assert len(found.shown) == 2
    others = history(stream, Asked(JOB, limits=limits), Asked(TWIN))
    assert "never over the limit" not in _names(check(others))
