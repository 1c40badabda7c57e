"""What becomes of submissions: alone, in large batches, repeated, refused, with nobody to ring."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pytest

from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.acceptance import DedupPolicy
from hysds.core.errors import Complaint, Conflict, Full, InvalidSpec, TooOld, Unreachable
from hysds.core.floor_requests import Announcement, Fit
from hysds.core.ids import JobId
from hysds.core.job_types.catalog import EMPTY
from hysds.core.record import FOREVER
from hysds.core.requests import MAX_BATCH, Acceptance, Accepted, Renewal
from hysds.core.shapes import MAX_SHAPES_PER_QUEUE
from hysds.core.spec import JobSpec, Resources
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.submit import Orchestrator
from hysds.ports.bell import Bell

POLICY = DedupPolicy(frozenset({Status.QUEUED, Status.STARTED, Status.COMPLETED}), FOREVER)
ROUTER = Router(lambda: EMPTY, Ground(POLICY, gap_s=300.0))
NEW_ID = Uuid7Source()


class SilentBell(MemoryBell):
    """Its broker is away."""

    def ring(self, queue: str, times: int) -> None:
        raise Unreachable("broker", "away")


class Bench:
    """An orchestrator over a ledger in memory."""

    def __init__(self, bell: Bell | None = None, ledger: MemoryLedger | None = None) -> None:
        self.ledger = MemoryLedger(retention_ms=3_600_000) if ledger is None else ledger
        self.bell = MemoryBell()
        self.orchestrator = Orchestrator(self.ledger, Dispatcher(bell or self.bell), Planner(ROUTER), NEW_ID)

    def statuses(self) -> Counter[Status]:
        return Counter(record.status for record in self.ledger.book.records.values())


def specs(count: int, **fields: object) -> list[JobSpec]:
    """Specs that do different things."""
    return [JobSpec("job:q", {"_command": f"echo {number}"}, **fields) for number in range(count)]  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, MAX_BATCH, MAX_BATCH + 1, 2 * MAX_BATCH + 7])
def test_a_batch_of_any_size_is_answered_in_order(count: int) -> None:
    """Longer ones go to the ledger in parts."""
    bench = Bench()
    ids = [JobId(NEW_ID()) for _ in range(count)]

    answers = bench.orchestrator.submit(specs(count), ids)

    assert [answer.id for answer in answers] == ids
    assert all(answer.refused is None and not answer.repeated for answer in answers)
    assert bench.statuses() == Counter({Status.QUEUED: count} if count else {})
    assert (bench.bell.take("q") > 0) == (count > 0)


def test_a_repeated_batch_is_answered_and_changes_nothing() -> None:
    """The answer may have been lost: whoever repeats with the same ids learns what happened."""
    bench = Bench()
    ids = [JobId(NEW_ID()) for _ in range(MAX_BATCH + 3)]
    first = bench.orchestrator.submit(specs(len(ids)), ids)

    again = bench.orchestrator.submit(specs(len(ids)), ids)

    assert {answer.repeated for answer in again} == {True}
    assert [answer.status for answer in again] == [answer.status for answer in first]
    assert bench.statuses() == {Status.QUEUED: len(ids)}


@pytest.mark.parametrize("distance", [1, MAX_BATCH])
def test_an_id_that_comes_twice_in_a_batch_is_one_job(distance: int) -> None:
    """With the same spec it is a repeat, with another one a conflict; in one part of the batch or in two."""
    bench = Bench()
    id_, other = JobId(NEW_ID()), JobId(NEW_ID())
    filling = [JobId(NEW_ID()) for _ in range(distance - 1)]
    [one, two] = specs(2)
    between = [JobSpec("job:q", {"_command": f"sleep {number}"}) for number in range(len(filling))]

    answers = bench.orchestrator.submit([one, *between, one, two, two], [id_, *filling, id_, id_, other])

    first, repeat, conflict, fine = answers[0], *answers[-3:]
    assert (first.repeated, repeat.repeated, repeat.refused) == (False, True, None)
    assert isinstance(conflict.refused, Conflict)
    assert (fine.status, fine.refused) == (Status.QUEUED, None)
    assert bench.statuses() == {Status.QUEUED: len(filling) + 2}


def test_the_same_work_twice_in_a_batch_runs_once() -> None:
    """The second names the first."""
    bench = Bench()
    [spec] = specs(1)

    first, second = bench.orchestrator.submit([spec, spec])

    assert (second.status, second.twin, second.twin_status) == (Status.DEDUPED, first.id, Status.QUEUED)
    assert bench.statuses() == {Status.QUEUED: 1, Status.DEDUPED: 1}


def test_one_submission_that_is_refused_does_not_cost_the_others() -> None:
    """Each refusal says which id and what to do."""
    bench = Bench()
    old = JobId(Uuid7Source(lambda: 1_000)())
    taken = bench.orchestrator.submit(specs(1))[0].id
    fresh = JobId(NEW_ID())

    answers = bench.orchestrator.submit(
        [JobSpec("job:q", {"_command": command}) for command in ("a", "b", "c")], [old, taken, fresh]
    )

    assert [type(answer.refused) for answer in answers] == [TooOld, Conflict, type(None)]
    assert all(answer.id in str(answer.refused) for answer in answers[:2])
    assert answers[2].status == Status.QUEUED


def test_a_queue_of_too_many_shapes_refuses_the_next_one_alone() -> None:
    """Every claim looks at all shapes of a queue."""
    bench = Bench()
    needs = [Resources(slots=number + 1) for number in range(MAX_SHAPES_PER_QUEUE + 1)]

    answers = bench.orchestrator.submit(
        [JobSpec("job:q", {"_command": "x"}, resources=need, enable_dedup=False) for need in needs]
    )

    assert [type(answer.refused) for answer in answers] == [type(None)] * MAX_SHAPES_PER_QUEUE + [Full]


def test_jobs_are_accepted_also_where_nobody_can_be_rung() -> None:
    """The ledger has them, and the next renewal of any worker finds them."""
    bench = Bench(bell=SilentBell())

    [answer] = bench.orchestrator.submit(specs(1))

    assert answer.status == Status.QUEUED


def test_a_job_that_was_made_ready_knows_who_hears_its_queue() -> None:
    """Nobody, at first; of what was not made ready nothing is told."""
    bench = Bench()
    [one] = specs(1)
    [later] = specs(1, not_before=4e9, enable_dedup=False, tag="later")

    ready, twin, waiting = bench.orchestrator.submit([one, one, later])
    repeat = bench.orchestrator.submit([one], [ready.id])[0]
    bench.ledger.renew(renewal("q"))
    heard, other = bench.orchestrator.submit(
        [JobSpec("job:q", {"_command": "b"}), JobSpec("job:p", {"_command": "c"})]
    )

    assert [item.hearers for item in (ready, twin, waiting, repeat)] == [0, None, None, None]
    assert [item.hearers for item in (heard, other)] == [1, 0]


def renewal(queue: str) -> Renewal:
    """What a worker of this queue announces."""
    announcement = Announcement("host", "w@host", (queue,), 1, Fit())
    return Renewal("w@host/1", announcement, (), (), 30_000, 60_000)


class HalfFull(MemoryLedger):
    """Its memory ends after the first part of a batch."""

    parts = 0

    def _accept(self, batch: Sequence[Acceptance]) -> Accepted:
        self.parts += 1
        if self.parts == 2:
            raise Full("no memory left")
        return super()._accept(batch)


def test_a_batch_that_was_taken_in_part_can_be_repeated_whole() -> None:
    """No job is accepted twice."""
    bench = Bench(ledger=HalfFull(retention_ms=3_600_000))
    ids = [JobId(NEW_ID()) for _ in range(2 * MAX_BATCH)]
    with pytest.raises(Full):
        bench.orchestrator.submit(specs(len(ids)), ids)

    answers = bench.orchestrator.submit(specs(len(ids)), ids)

    assert [answer.repeated for answer in answers] == [True] * MAX_BATCH + [False] * MAX_BATCH
    assert bench.statuses() == {Status.QUEUED: 2 * MAX_BATCH}


def test_an_id_that_was_made_here_and_is_too_old_is_the_clocks_fault() -> None:
    """Whoever gave no id can't give another one: the clock has to be set."""
    ledger = MemoryLedger(retention_ms=3_600_000)
    late = Orchestrator(ledger, Dispatcher(MemoryBell()), Planner(ROUTER), Uuid7Source(lambda: 1_000))
    [made_here] = late.submit(specs(1))
    [given] = late.submit(specs(1), [JobId(Uuid7Source(lambda: 1_000)())])

    assert isinstance(made_here.refused, TooOld)
    assert "this host's clock is far behind" in str(made_here.refused)
    assert "submit under a new id" in str(given.refused)


class Away(MemoryLedger):
    """It does not answer."""

    def _accept(self, batch: Sequence[Acceptance]) -> Accepted:
        raise Unreachable("ledger", "away")


def test_who_got_no_answer_is_told_the_ids_to_ask_for() -> None:
    """The step may have happened: by their ids it can be found out."""
    with pytest.raises(Unreachable) as error:
        Bench(ledger=Away(retention_ms=3_600_000)).orchestrator.submit(specs(7))
    [note] = error.value.__notes__

    assert "it is not known whether it took the jobs" in note
    assert len(re.findall(r"[0-9a-f-]{36}", note)) == 5
    assert note.endswith("and 2 more")


def test_a_retry_of_a_live_job_is_refused_by_the_ledger_too() -> None:
    """It may have been started again between the look and the step."""
    bench = Bench()
    [live] = bench.orchestrator.submit(specs(1))
    [again] = bench.orchestrator.submit(specs(1), retry_of=[live.id])

    assert isinstance(again.refused, Conflict)
    assert f"{live.id} is job-queued" in str(again.refused)


class Strict(Planner):
    """Its policies let nothing be retried, until they are changed."""

    is_closed = True

    def retry(self, id_: JobId, spec: JobSpec, retry_of: str) -> Acceptance:
        if self.is_closed:
            raise InvalidSpec((Complaint("$.job_queue", "is closed"),))
        return super().retry(id_, spec, retry_of)


def test_a_retry_that_was_refused_may_come_again_under_its_id() -> None:
    """The refusal stands in nobody's way once what was wrong is mended."""
    bench, planner = Bench(), Strict(ROUTER)
    orchestrator = Orchestrator(bench.ledger, Dispatcher(bench.bell), planner, NEW_ID)
    [old] = bench.orchestrator.submit(specs(1))
    bench.ledger.cancel([old.id])
    new_id = JobId(NEW_ID())
    with pytest.raises(InvalidSpec):
        orchestrator.submit(specs(1), [new_id], [old.id])
    planner.is_closed = False

    [again] = orchestrator.submit(specs(1), [new_id], [old.id])

    assert (again.status, again.repeated, again.refused) == (Status.QUEUED, False, None)
