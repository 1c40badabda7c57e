"""Groups, arrays and dependencies at the front door: in one step or staged, repeated, refused, cut off half-way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core import ids
from hysds.core.acceptance import DedupPolicy
from hysds.core.errors import Conflict, Full, InvalidSpec, Refused, Unreachable
from hysds.core.ids import JobId
from hysds.core.job_types.catalog import EMPTY
from hysds.core.kin import STAGING_MS
from hysds.core.limit_keys import Limit
from hysds.core.record import FOREVER
from hysds.core.requests import MAX_BATCH, Acceptance, Accepted, Moved, Purge, Staging
from hysds.core.shapes import MAX_SHAPES_PER_QUEUE
from hysds.core.spec import After, JobSpec, Resources
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.past import nothing_stored
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.submit import Orchestrator
from hysds.testing import FakeClock

POLICY = DedupPolicy(frozenset({Status.QUEUED, Status.STARTED, Status.COMPLETED}), FOREVER)
NEW_ID = Uuid7Source()
PARENT = JobSpec("job:fan", {"what": "all of it"})
_LARGE = MAX_BATCH + 20


class CutOff(MemoryLedger):
    """Stops answering after so many steps of a submission."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(3_600_000, clock)
        self.left = 1_000_000

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unreachable("ledger", "cut off")

    def _accept(self, batch: Sequence[Acceptance]) -> Accepted:
        self._count()
        return super()._accept(batch)

    def _stage(self, group: str, first: int, items: Sequence[Acceptance]) -> Staging:
        self._count()
        return super()._stage(group, first, items)

    def seal(self, group: str) -> Staging:
        self._count()
        return super().seal(group)

    def settle(self, limit: int, only: str = "") -> Moved:
        if only:
            self._count()
        return super().settle(limit, only)


class Bench:
    """An orchestrator over a ledger in memory."""

    def __init__(self, stored: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.clock = FakeClock()
        self.ledger = CutOff(self.clock)
        self.bell = MemoryBell()
        router = Router(lambda: EMPTY, Ground(POLICY, gap_s=300.0))
        documents = nothing_stored if stored is None else lambda wanted: [stored.get(id) for id in wanted]
        self.orchestrator = Orchestrator(
            self.ledger, Dispatcher(self.bell), Planner(router), NEW_ID, documents
        )

    def statuses(self) -> Counter[Status]:
        """Of all jobs but groups."""
        records = self.ledger.book.records.values()
        return Counter(record.status for record in records if not record.kind)

    def pass_ms(self, ms: int) -> None:
        for _ in range(ms // 1_000):
            self.clock.advance(1)
            self.ledger.wake(1)


def specs(count: int, **fields: Any) -> list[JobSpec]:
    """Specs that do different things."""
    return [JobSpec("job:q", {"_command": f"echo {number}"}, **fields) for number in range(count)]


@pytest.mark.parametrize("count", [1, MAX_BATCH - 1, MAX_BATCH, _LARGE, 3 * MAX_BATCH])
def test_a_group_of_any_size_is_in_the_ledger_when_the_call_returns(count: int) -> None:
    """With all its members, whose ids follow from its own; and somebody is rung for."""
    bench = Bench()

    submission = bench.orchestrator.submit_group(PARENT, specs(count))

    group = submission.group
    assert (group.status, group.members, group.queue, group.refused) == (Status.WAITING, count, "q", None)
    assert submission.members == tuple(ids.child(group.id, position) for position in range(count))
    assert bench.statuses() == {Status.QUEUED: count}
    assert all(bench.ledger.book.records[id].parent == group.id for id in submission.members)
    assert bench.bell.take("q") > 0


@pytest.mark.parametrize("count", [3, _LARGE])
def test_a_repeated_group_is_answered_and_changes_nothing(count: int) -> None:
    """With another member it is a conflict."""
    bench = Bench()
    id_ = JobId(NEW_ID())
    first = bench.orchestrator.submit_group(PARENT, specs(count), id_)
    records = dict(bench.ledger.book.records)

    again = bench.orchestrator.submit_group(PARENT, specs(count), id_)
    other = bench.orchestrator.submit_group(PARENT, specs(count + 1), id_)

    assert (first.group.repeated, again.group.repeated) == (False, True)
    assert isinstance(other.group.refused, Conflict)
    assert bench.ledger.book.records == records


@pytest.mark.parametrize("steps", range(6))
def test_a_submission_that_is_cut_off_leaves_all_or_nothing(steps: int) -> None:
    """Before the seal nothing starts, and all is gone minutes later; after it the reconciler sees everybody in."""
    bench = Bench()
    bench.ledger.left = steps
    with pytest.raises(Unreachable, match="cut off"):
        bench.orchestrator.submit_group(PARENT, specs(_LARGE))
    bench.ledger.left = 1_000_000
    before = bench.statuses().total()

    while bench.ledger.settle(MAX_BATCH).more:
        pass
    bench.pass_ms(STAGING_MS + 1_000)
    bench.ledger.settle(MAX_BATCH)

    is_sealed = steps >= 4  # accepted, staged in two parts, sealed
    assert before == (MAX_BATCH if steps == 5 else 0)
    assert bench.statuses() == ({Status.QUEUED: _LARGE} if is_sealed else {})


@pytest.mark.parametrize("steps", range(6))
def test_whoever_repeats_a_submission_that_was_cut_off_completes_it(steps: int) -> None:
    """With the same id, as its note says."""
    bench = Bench()
    id_ = JobId(NEW_ID())
    bench.ledger.left = steps
    with pytest.raises(Unreachable) as cut:
        bench.orchestrator.submit_group(PARENT, specs(_LARGE), id_)
    bench.ledger.left = 1_000_000

    submission = bench.orchestrator.submit_group(PARENT, specs(_LARGE), id_)

    assert id_ in cut.value.__notes__[0]
    assert submission.group.refused is None
    assert bench.statuses() == {Status.QUEUED: _LARGE}


def test_a_group_that_was_aborted_is_refused() -> None:
    """Whoever was away for so long submits it anew."""
    bench = Bench()
    id_ = JobId(NEW_ID())
    bench.ledger.left = 2
    with pytest.raises(Unreachable):
        bench.orchestrator.submit_group(PARENT, specs(_LARGE), id_)
    bench.ledger.left = 1_000_000
    bench.pass_ms(STAGING_MS + 1_000)
    bench.ledger.settle(MAX_BATCH)

    submission = bench.orchestrator.submit_group(PARENT, specs(_LARGE), id_)

    assert (submission.group.status, submission.group.repeated) == (Status.REVOKED, True)
    assert bench.statuses() == {}


def test_one_member_that_can_not_be_refuses_the_group() -> None:
    """Before anything is asked of the ledger."""
    bench = Bench()

    with pytest.raises(InvalidSpec, match="_command"):
        bench.orchestrator.submit_group(PARENT, [*specs(3), JobSpec("job:q", {})])
    with pytest.raises(InvalidSpec, match="a group needs a member"):
        bench.orchestrator.submit_group(PARENT, [])

    assert bench.ledger.book.records == {}


def test_a_group_of_too_many_shapes_is_refused_whole() -> None:
    """As a job of a new shape would be, where its queue holds the most that it can."""
    bench = Bench()
    many = [
        JobSpec("job:q", {"_command": "true"}, enable_dedup=False, resources=Resources(disk=(n + 1) << 30))
        for n in range(MAX_SHAPES_PER_QUEUE)
    ]
    bench.orchestrator.submit(many)

    submission = bench.orchestrator.submit_group(PARENT, specs(_LARGE))

    assert isinstance(submission.group.refused, Full)
    assert bench.statuses() == {Status.QUEUED: MAX_SHAPES_PER_QUEUE}


def test_a_spec_with_an_array_becomes_a_group_of_its_members() -> None:
    """Each with its index, under the array's own limit; submitted among other specs it keeps its place."""
    bench = Bench()
    array = JobSpec("job:q", {"_command": "echo $array_index"}, array="0-4:2%2", ttl=60.0)

    before, whole, behind = bench.orchestrator.submit([specs(1)[0], array, specs(2)[1]])

    members = [bench.ledger.book.records[ids.child(whole.id, n)] for n in range(3)]
    assert (before.members, whole.members, behind.members) == (0, 3, 0)
    assert [member.limits for member in members] == [members[0].limits] * 3
    assert Limit(f"array:{whole.id}", 2).key in members[0].limits
    assert all(member.ttl_ms for member in members)
    assert not bench.ledger.book.records[whole.id].ttl_ms
    assert '"echo 4"' in bench.ledger.book.specs[members[2].id]


def test_an_array_within_a_group_is_a_group_in_turn() -> None:
    """One deeper; all of it in one submission."""
    bench = Bench()
    inner = JobSpec("job:q", {"_command": "echo"}, array="0-1")

    submission = bench.orchestrator.submit_group(PARENT, [inner, *specs(1)])

    first, second = submission.members
    records = bench.ledger.book.records
    assert [records[id].depth for id in (submission.group.id, first, second)] == [0, 1, 1]
    assert records[ids.child(first, 1)].depth == 2
    assert bench.statuses() == {Status.QUEUED: 3}


@pytest.mark.parametrize("count", [3, _LARGE])
def test_a_group_comes_after_other_jobs_as_a_whole(count: int) -> None:
    """None of its members stands anywhere before those have completed."""
    bench = Bench()
    [first] = bench.orchestrator.submit(specs(1))
    array = JobSpec("job:q", {"_command": "echo"}, array=f"1-{count}", after=After((first.id,), "finished"))

    [whole] = bench.orchestrator.submit([array])

    assert (whole.status, bench.statuses()) == (Status.WAITING, {Status.QUEUED: 1})
    bench.ledger.cancel([first.id])
    while bench.ledger.settle(MAX_BATCH).more:
        pass
    assert bench.statuses() == {Status.REVOKED: 1, Status.QUEUED: count}


_STORED = {
    "00000000-0000-4000-8000-00000000000c": {"status": "job-completed"},
    "00000000-0000-4000-8000-00000000000f": {"status": "job-failed"},
    "00000000-0000-4000-8000-00000000000d": {
        "status": "job-deduped",
        "dedup_job": "00000000-0000-4000-8000-00000000000f",
    },
    "00000000-0000-4000-8000-00000000000e": {"status": "job-deduped", "dedup_job": "gone"},
    "00000000-0000-4000-8000-000000000001": {"status": "job-started"},
}


@pytest.mark.parametrize(
    ("ends", "on", "status"),
    [
        ("c", "completed", Status.QUEUED),
        ("f", "completed", Status.REVOKED),
        ("f", "finished", Status.QUEUED),
        ("d", "completed", Status.REVOKED),
        ("d", "finished", Status.QUEUED),
        ("ec", "completed", Status.QUEUED),
        ("cfe", "completed", Status.REVOKED),
    ],
)
def test_the_store_knows_how_forgotten_jobs_ended(ends: str, on: Any, status: Status) -> None:
    """Completed ones count, failed ones revoke, a duplicate stands for its twin."""
    bench = Bench(_STORED)
    names = tuple(f"00000000-0000-4000-8000-00000000000{letter}" for letter in ends)

    [submission] = bench.orchestrator.submit(specs(1, after=After(names, on)))

    assert (submission.status, submission.refused) == (status, None)


@pytest.mark.parametrize(
    ("end", "status"),
    [("job-completed", Status.QUEUED), ("job-revoked", Status.REVOKED), ("job-started", None), (None, None)],
)
def test_the_store_knows_how_the_twin_ended_of_a_duplicate_that_the_ledger_knows_alone(
    end: str | None, status: Status | None
) -> None:
    """The twin was purged, or forgotten first; where nobody knows, the job is refused."""
    documents: dict[str, Any] = {}
    bench = Bench(documents)
    twin, duplicate = (
        Acceptance(NEW_ID(), "d", "{}", "q", "1s", dedup="k", twins=frozenset({Status.QUEUED}))
        for _ in range(2)
    )
    bench.ledger.accept([twin, duplicate])
    bench.ledger.cancel([twin.id])
    bench.ledger.confirm([(twin.id, bench.ledger.book.records[twin.id].revision)])
    bench.ledger.purge([Purge(twin.id)])
    documents.update({twin.id: {"status": end}} if end else {})

    [submission] = bench.orchestrator.submit(specs(1, after=After((JobId(duplicate.id),))))

    assert submission.status == (status or "")
    assert (submission.refused is None) == (status is not None)


def test_a_member_that_would_come_after_its_own_group_is_refused() -> None:
    """Each would wait for the other; nothing is taken."""
    bench = Bench()
    id_ = JobId(NEW_ID())
    circular = JobSpec("job:q", {"_command": "x"}, after=After((id_,)))

    with pytest.raises(InvalidSpec, match="its own group"):
        bench.orchestrator.submit_group(PARENT, [*specs(1), circular], id_)

    assert bench.statuses() == {Status.FAILED: 1}


def test_a_staged_group_that_was_cut_off_goes_on_though_it_would_fit_one_step_by_now() -> None:
    """What it came after has completed and was forgotten in between."""
    documents: dict[str, Any] = {}
    bench = Bench(documents)
    [first] = bench.orchestrator.submit(specs(1))
    id_ = JobId(NEW_ID())
    parent = replace(PARENT, after=After((first.id,), "finished"))
    bench.ledger.left = 1
    with pytest.raises(Unreachable):
        bench.orchestrator.submit_group(parent, specs(2), id_)
    bench.ledger.left = 1_000_000
    bench.ledger.cancel([first.id])
    bench.ledger.confirm([(first.id, bench.ledger.book.records[first.id].revision)])
    bench.ledger.settle(MAX_BATCH)
    bench.ledger.purge([Purge(first.id)])
    documents[first.id] = {"status": "job-revoked"}

    again = bench.orchestrator.submit_group(parent, specs(2), id_)

    assert again.group.refused is None
    assert bench.statuses() == {Status.QUEUED: 2}


@pytest.mark.parametrize("letter", ["9", "1"])
def test_a_job_after_one_that_nobody_knows_is_refused_by_its_name(letter: str) -> None:
    """So is one of a lost ledger that the store still shows as running. The others of the call are taken."""
    bench = Bench(_STORED)
    unknown = f"00000000-0000-4000-8000-00000000000{letter}"

    fine, bad = bench.orchestrator.submit(
        [specs(1)[0], JobSpec("job:q", {"_command": "x"}, after=After((unknown,)))]
    )

    assert fine.refused is None
    assert isinstance(bad.refused, Refused)
    assert unknown in str(bad.refused)
    assert bench.statuses() == {Status.QUEUED: 1}


def test_jobs_of_one_call_may_come_after_each_other() -> None:
    """After those before them."""
    bench = Bench()
    id_ = JobId(NEW_ID())

    first, second = bench.orchestrator.submit(
        [specs(1)[0], JobSpec("job:q", {"_command": "x"}, after=After((id_,)))], [id_, JobId(NEW_ID())]
    )

    assert [first.status, second.status] == [Status.QUEUED, Status.WAITING]
