"""Groups: taken in whole or not at all, counted as their members move, and ended with the last of them (rule 23)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from contract.ledger.conftest import RETENTION_MS, Clock
from contract.ledger.sample import bid, end, job, keyed, started, status, take
from hysds.core.kin import ROOM, STAGING_MS, TELL_MS, sums
from hysds.core.record import GROUP, Record
from hysds.core.requests import COMPLETED, FINISHED, Acceptance, Accepting, Purge, Staging
from hysds.core.status import Status
from hysds.ports.events import Events
from hysds.ports.ledger import Ledger


def group(count: int, **changes: object) -> tuple[Acceptance, list[Acceptance]]:
    """A group of so many ordinary jobs, and these."""
    parent = job(kind=GROUP, members=count, **changes)
    return parent, [job(parent=parent.id) for _ in range(count)]


def accepted(ledger: Ledger, count: int) -> tuple[Acceptance, list[Acceptance]]:
    """A group in the ledger with all its members."""
    parent, members = group(count)
    ledger.accept([parent, *members])
    return parent, members


def sealed(ledger: Ledger, count: int, **changes: object) -> tuple[Acceptance, list[Acceptance]]:
    """A group whose members are all staged, and none of them in the ledger."""
    parent, members = group(count, staged=count, **changes)
    ledger.accept([parent])
    assert ledger.stage(parent.id, 0, members) is Staging.STAGED
    assert ledger.seal(parent.id) is Staging.SEALED
    return parent, members


def record(ledger: Ledger, id: str) -> Record:
    [kept] = ledger.kept([id])
    assert kept is not None
    return kept.record


def counted(ledger: Ledger, id: str) -> dict[str, int]:
    """The sums that a group's document shows, those that are not 0."""
    return {name: number for name, number in sums(record(ledger, id).kids).items() if number}


def statuses(ledger: Ledger, items: Sequence[Acceptance]) -> list[Status | None]:
    return [status(ledger, item.id) for item in items]


def finish(ledger: Ledger, *ends: Status) -> None:
    """Claim and end so many jobs, as told."""
    for how in ends:
        ledger.commit(end(take(ledger), how, reason="user" if how is Status.FAILED else ""))


def pass_ms(ledger: Ledger, clock: Clock, ms: int) -> None:
    """Time on the ledger's clock: it moves in steps."""
    for _ in range(-(-ms // 1_000)):
        clock.advance(1_000)
        ledger.wake(1)


def test_a_group_waits_for_its_members_and_completes_with_the_last(ledger: Ledger) -> None:
    """It is never ready; its record counts its members, who name it and stand one deeper."""
    parent, members = accepted(ledger, 2)

    assert statuses(ledger, [parent, *members]) == [Status.WAITING, Status.QUEUED, Status.QUEUED]
    assert record(ledger, parent.id).reason == "members"
    assert [(one.parent, one.depth) for one in (record(ledger, each.id) for each in members)] == [
        (parent.id, 1)
    ] * 2
    finish(ledger, Status.COMPLETED)
    assert status(ledger, parent.id) is Status.WAITING
    finish(ledger, Status.COMPLETED)
    assert status(ledger, parent.id) is Status.COMPLETED
    assert counted(ledger, parent.id) == {"total": 2, "done": 2}


def test_a_group_fails_when_a_member_did_and_all_have_ended(ledger: Ledger) -> None:
    """One failure does not end the others."""
    parent, _ = accepted(ledger, 3)

    finish(ledger, Status.FAILED, Status.COMPLETED)

    assert status(ledger, parent.id) is Status.WAITING
    finish(ledger, Status.COMPLETED)
    ended = record(ledger, parent.id)
    assert (ended.status, ended.reason) == (Status.FAILED, "members")
    assert counted(ledger, parent.id) == {"total": 3, "done": 2, "failed": 1}


def test_a_member_that_is_a_duplicate_counts_as_done(ledger: Ledger) -> None:
    """The job that it is a duplicate of does the work."""
    twin = keyed()
    ledger.accept([twin])
    parent = job(kind=GROUP, members=1)

    ledger.accept([parent, keyed(parent=parent.id)])

    assert status(ledger, parent.id) is Status.COMPLETED
    assert counted(ledger, parent.id) == {"total": 1, "deduped": 1}


def test_a_group_of_groups_ends_with_the_innermost(ledger: Ledger) -> None:
    """A group that ends is a member of the next that ended, in the same step."""
    outer = job(kind=GROUP, members=2)
    inner = job(kind=GROUP, members=1, parent=outer.id)
    leaf = job(parent=inner.id)
    ledger.accept([outer, inner, leaf, job(parent=outer.id)])

    finish(ledger, Status.COMPLETED, Status.COMPLETED)

    assert statuses(ledger, [outer, inner, leaf]) == [Status.COMPLETED] * 3
    assert record(ledger, leaf.id).depth == 2


def test_a_groups_document_changes_at_most_once_a_second_and_always_last(
    ledger: Ledger, events: Events, clock: Clock
) -> None:
    """Many members move; the group is told of at once where it was quiet, then once more when the second is over."""
    parent, _ = accepted(ledger, 5)
    pass_ms(ledger, clock, 2 * TELL_MS)
    first = record(ledger, parent.id).revision

    leases = [take(ledger) for _ in range(4)]
    told = record(ledger, parent.id)
    clock.advance(TELL_MS - 1)
    too_early = ledger.settle(10).answers
    clock.advance(1)
    after = ledger.settle(10).answers

    assert len(leases) == 4
    assert told.revision > first
    assert sums(told.kids)["running"] == 1
    assert (too_early, after) == ((), ((parent.id, Status.WAITING.value),))
    assert counted(ledger, parent.id) == {"total": 5, "running": 4, "queued": 1}
    steps = [entry.event.step for entry in events.follow("", 100, 0) if entry.event.id == parent.id]
    assert steps == ["accept", "members", "members"]


def test_staged_members_are_nowhere_until_the_group_is_sealed_and_settled(ledger: Ledger) -> None:
    """No record, no place, no key: then all of them, at most so many a step."""
    parent, members = group(3, staged=3)
    ledger.accept([parent])
    ledger.stage(parent.id, 0, members)

    assert record(ledger, parent.id).reason == "staged"
    assert ledger.settle(10).answers == ()
    assert ledger.kept([members[0].id]) == (None,)
    assert ledger.seal(parent.id) is Staging.SEALED
    part = ledger.settle(2, parent.id)
    rest = ledger.settle(2, parent.id)
    assert [id for id, _ in (*part.answers, *rest.answers)] == [item.id for item in members]
    assert (part.more, rest.more, part.ready[0].jobs) == (True, False, 2)
    finish(ledger, *[Status.COMPLETED] * 3)
    assert status(ledger, parent.id) is Status.COMPLETED


def test_a_seal_is_refused_until_all_members_are_staged(ledger: Ledger) -> None:
    """Half a group never starts."""
    parent, members = group(3, staged=3)
    ledger.accept([parent])
    ledger.stage(parent.id, 0, members[:2])

    assert ledger.seal(parent.id) is Staging.INCOMPLETE
    assert ledger.stage(parent.id, 3, members[2:]) is Staging.INCOMPLETE
    assert ledger.stage(parent.id, 2, members[2:]) is Staging.STAGED
    assert ledger.seal(parent.id) is Staging.SEALED


def test_stages_and_seals_may_be_repeated(ledger: Ledger) -> None:
    """An answer that got lost costs nothing: nobody is staged twice, and nobody enters twice."""
    parent, members = group(3, staged=3)
    first = ledger.accept([parent]).answers[0].how

    again = ledger.accept([parent]).answers[0].how
    stages = [ledger.stage(parent.id, at, members[at : at + 2]) for at in (0, 0, 1, 1)]
    seals = [ledger.seal(parent.id), ledger.seal(parent.id), ledger.stage(parent.id, 0, members)]
    ledger.settle(10)

    assert (first, again) == (Accepting.ACCEPTED, Accepting.REPEATED)
    assert stages == [Staging.STAGED] * 4
    assert seals == [Staging.SEALED] * 3
    assert ledger.settle(10).answers == ()
    assert statuses(ledger, members) == [Status.QUEUED] * 3


def test_a_group_that_nobody_seals_is_aborted_and_its_members_never_were(
    ledger: Ledger, clock: Clock
) -> None:
    """The time counts from the latest stage; what comes too late is told that it ended."""
    parent, members = group(2, staged=2)
    ledger.accept([parent])
    pass_ms(ledger, clock, STAGING_MS - 1_000)
    ledger.stage(parent.id, 0, members[:1])
    pass_ms(ledger, clock, STAGING_MS - 1_000)
    early = ledger.settle(10).answers

    pass_ms(ledger, clock, 1_000)
    late = ledger.settle(10).answers

    assert (early, late) == ((), ((parent.id, Status.REVOKED.value),))
    assert record(ledger, parent.id).reason == "aborted"
    assert counted(ledger, parent.id) == {"total": 2, "revoked": 2}
    assert ledger.kept([item.id for item in members]) == (None, None)
    assert ledger.stage(parent.id, 1, members[1:]) is Staging.ENDED
    assert ledger.seal(parent.id) is Staging.ENDED
    assert ledger.seal("no such group") is Staging.MISSING


def test_a_staged_member_is_judged_for_dedup_when_it_enters(ledger: Ledger) -> None:
    """While it is staged it stands in nobody's way: nobody is a duplicate of what may yet be aborted."""
    parent = job(kind=GROUP, members=2, staged=2)
    members = [keyed(parent=parent.id), keyed(dedup="other", parent=parent.id)]
    ledger.accept([parent])
    ledger.stage(parent.id, 0, members)

    between = keyed()
    answer = ledger.accept([between]).answers[0].how
    ledger.seal(parent.id)
    ledger.settle(10)

    assert answer is Accepting.ACCEPTED
    assert statuses(ledger, members) == [Status.DEDUPED, Status.QUEUED]
    assert record(ledger, members[0].id).dedup_job == between.id


def test_a_cancelled_group_ends_with_its_members(ledger: Ledger) -> None:
    """Unclaimed members are revoked in the same step, started ones told; the group is revoked with the last."""
    parent, members = accepted(ledger, 3)
    lease = take(ledger)

    answers = ledger.cancel([parent.id]).answers

    assert answers == ((parent.id, Status.WAITING.value),)
    assert record(ledger, lease.record.id).cancel
    assert sorted(one.value for one in statuses(ledger, members) if one) == [
        "job-revoked",
        "job-revoked",
        "job-started",
    ]
    ledger.commit(end(lease, Status.REVOKED))
    assert status(ledger, parent.id) is Status.REVOKED
    assert counted(ledger, parent.id) == {"total": 3, "revoked": 3}


def test_a_large_groups_cancel_goes_on_in_parts(ledger: Ledger) -> None:
    """One step cancels so many; `settle` the rest; a repeated cancel starts nothing anew."""
    parent, members = accepted(ledger, ROOM + 20)

    first = ledger.cancel([parent.id]).answers
    left = statuses(ledger, members).count(Status.QUEUED)
    again = ledger.cancel([parent.id]).answers
    rest = ledger.settle(500)

    assert first == again == ((parent.id, Status.WAITING.value),)
    assert left == 20
    assert len(rest.answers) == 20
    assert status(ledger, parent.id) is Status.REVOKED


def test_a_cancel_before_the_members_entered_leaves_none_of_them(ledger: Ledger) -> None:
    """Sealed or not: the group is revoked at once, and counts them so."""
    parent, members = sealed(ledger, 2)

    answers = ledger.cancel([parent.id]).answers

    assert answers == ((parent.id, Status.REVOKED.value),)
    assert ledger.settle(10).answers == ()
    assert ledger.kept([members[0].id]) == (None,)
    assert counted(ledger, parent.id) == {"total": 2, "revoked": 2}


def test_a_cancel_while_members_enter_takes_no_more_in(ledger: Ledger) -> None:
    """Those in the ledger are cancelled, the others never stand there."""
    parent, members = sealed(ledger, 3)
    ledger.settle(1, parent.id)

    answers = ledger.cancel([parent.id]).answers

    assert answers == ((parent.id, Status.REVOKED.value),)
    assert statuses(ledger, members) == [Status.REVOKED, None, None]


def test_a_group_that_completed_in_spite_of_its_cancel_is_completed(ledger: Ledger) -> None:
    """As a job that completed before its worker heard of the cancel."""
    parent, _ = accepted(ledger, 1)
    lease = take(ledger)

    ledger.cancel([parent.id])
    ledger.commit(end(lease))

    assert status(ledger, parent.id) is Status.COMPLETED


def test_members_come_with_their_group_alone(ledger: Ledger) -> None:
    """Into a group that is unknown, full, ended or not a group nobody is let in, and nothing is made of the job."""
    parent, _ = accepted(ledger, 1)
    lease = started(ledger, job(queue="gpu", priority=9))
    stray = [job(parent=parent.id), job(parent="unknown"), job(parent=lease.record.id)]

    answers = ledger.accept(stray).answers

    assert [answer.how for answer in answers] == [Accepting.NO_PARENT] * 3
    assert ledger.kept([item.id for item in stray]) == (None,) * 3


@pytest.mark.parametrize("is_staged", [False, True])
def test_a_member_whose_id_another_job_took_counts_as_failed(ledger: Ledger, is_staged: bool) -> None:
    """Nobody waits for a member that can never be."""
    parent, members = group(2, staged=2 if is_staged else 0)
    ledger.accept([job(id=members[0].id, digest="another", priority=9)])
    ledger.accept([parent] if is_staged else [parent, *members])
    ledger.stage(parent.id, 0, members)
    ledger.seal(parent.id)
    ledger.settle(10)

    finish(ledger, Status.COMPLETED, Status.COMPLETED)
    assert status(ledger, parent.id) is Status.FAILED
    assert counted(ledger, parent.id) == {"total": 2, "done": 1, "failed": 1}


@pytest.mark.parametrize("is_staged", [False, True])
def test_a_group_that_was_purged_and_comes_again_counts_the_members_of_then(
    ledger: Ledger, is_staged: bool
) -> None:
    """Its members are there from its former life, ended: it ends as they did, and nothing runs twice."""
    parent, members = group(2, staged=2 if is_staged else 0)
    _submitted(ledger, parent, members)
    finish(ledger, Status.COMPLETED, Status.FAILED)
    ledger.confirm([(parent.id, record(ledger, parent.id).revision)])
    ledger.purge([Purge(parent.id)])
    assert status(ledger, parent.id) is None

    _submitted(ledger, parent, members)

    assert status(ledger, parent.id) is Status.FAILED
    assert counted(ledger, parent.id) == {"total": 2, "done": 1, "failed": 1}
    assert ledger.claim(bid()).lease is None


def test_a_repeated_submission_of_a_group_counts_nobody_twice(ledger: Ledger) -> None:
    """The answer to the first got lost; its members are there, and run."""
    parent, members = accepted(ledger, 2)
    finish(ledger, Status.COMPLETED)

    ledger.accept([parent, *members])

    assert status(ledger, parent.id) is Status.WAITING
    finish(ledger, Status.COMPLETED)
    assert counted(ledger, parent.id) == {"total": 2, "done": 2}


def _submitted(ledger: Ledger, parent: Acceptance, members: Sequence[Acceptance]) -> None:
    """In one step, or staged, as the group says."""
    if not parent.staged:
        ledger.accept([parent, *members])
        return
    ledger.accept([parent])
    assert ledger.stage(parent.id, 0, members) is Staging.STAGED
    assert ledger.seal(parent.id) is Staging.SEALED
    ledger.settle(10)


@pytest.mark.parametrize("after_on", [COMPLETED, FINISHED])
def test_a_member_that_comes_after_a_group_that_it_is_in_never_runs(ledger: Ledger, after_on: str) -> None:
    """Each would wait for the other; so the member is revoked, and the groups end."""
    outer = job(kind=GROUP, members=1)
    inner = job(kind=GROUP, members=2, parent=outer.id)
    members = [job(parent=inner.id, after=(named.id,), after_on=after_on) for named in (outer, inner)]

    ledger.accept([outer, inner, *members])

    assert statuses(ledger, members) == [Status.REVOKED] * 2
    assert [record(ledger, one.id).reason for one in members] == [
        f"dependency {outer.id}",
        f"dependency {inner.id}",
    ]
    assert statuses(ledger, [outer, inner]) == [Status.FAILED] * 2


def test_a_group_is_not_amended(ledger: Ledger) -> None:
    """It stands in no queue; its members are what can be moved."""
    parent, members = accepted(ledger, 1)

    answers = ledger.amend([parent.id, members[0].id], "other", 3).answers

    assert answers == ((parent.id, "group"), (members[0].id, Status.QUEUED.value))


def test_an_ended_group_leaves_nothing_behind(ledger: Ledger, clock: Clock) -> None:
    """Confirmed and retained it goes as any job does, and its id is free again for nobody in between."""
    parent, members = accepted(ledger, 1)
    finish(ledger, Status.COMPLETED)
    written = [(each.id, record(ledger, each.id).revision) for each in (parent, members[0])]

    assert ledger.confirm(written) == (True, True)
    clock.advance(RETENTION_MS)
    assert set(ledger.forget(ledger.retirable(10))) == {parent.id, members[0].id}
    assert ledger.claim(bid()).lease is None
