"""Submissions whose types have creators: what is submitted, what is refused, and what a repeat is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core import ids
from hysds.core.acceptance import DedupPolicy
from hysds.core.errors import Conflict, CreatorFailed, InvalidSpec, Unreachable
from hysds.core.ids import JobId
from hysds.core.job_types.catalog import Command, Creator, JobType, Limits, catalog
from hysds.core.parse import parse_document
from hysds.core.record import FOREVER, GROUP
from hysds.core.requests import Staging
from hysds.core.spec import After, JobSpec, from_stored
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.expansion import Bounds, Expansion
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.submit import Orchestrator, Submission
from hysds.ports.creators import Call, CallFailed

NEW_ID = Uuid7Source()
POLICY = DedupPolicy(frozenset({Status.QUEUED, Status.STARTED, Status.COMPLETED}), FOREVER)
TYPES = catalog(
    [
        JobType("job:one", (Creator("one", "m.one", ("fast",), 10.0),)),
        JobType("job:two", (Creator("a", "m.one", ("fast",)), Creator("b", "m.bad", ("fast",)))),
        JobType("tile", command=Command("render", (), ("$number",)), limits=Limits(longest=100.0)),
        JobType("job:later", (Creator("one", "m.one", ("fast",)),), refusals=("needs an image",)),
        JobType("job:v1:odd name", (Creator("one", "m.one", ("fast",)),)),
    ]
)


class SealedOrNot(MemoryLedger):
    """May stop answering at the seal of a group."""

    seals = True

    def seal(self, group: str) -> Staging:
        if not self.seals:
            raise Unreachable("ledger", "cut off")
        return super().seal(group)


class Bench:
    """An orchestrator over a ledger in memory, with creators whose answers change from call to call."""

    def __init__(self) -> None:
        self.ledger = SealedOrNot(retention_ms=3_600_000)
        self.calls: list[Call] = []
        self.answer: list[dict[str, Any]] | None = None
        router = Router(lambda: TYPES, Ground(POLICY, gap_s=300.0))
        planner = Planner(router, Expansion(self, parse_document, Bounds(1_000, 300.0)))
        self.orchestrator = Orchestrator(self.ledger, Dispatcher(MemoryBell()), planner, NEW_ID)

    def create(self, call: Call) -> tuple[Mapping[str, Any], ...]:
        self.calls.append(call)
        if call.function == "m.bad":
            raise CallFailed("raised KeyError: 'x'", ("in bad",))
        if self.answer is not None:
            return tuple(self.answer)
        return ({"type": "tile", "params": {"number": len(self.calls)}},)

    def close(self) -> None:
        """Nothing is held."""

    def spec_of(self, id_: str) -> JobSpec:
        return from_stored(self.ledger.book.specs[id_])


def _request(job_type: str = "job:one", **fields: Any) -> JobSpec:
    return JobSpec(job_type, {"size": 3}, **fields)


def test_one_job_stands_under_the_submissions_id() -> None:
    """With queue and limits of its creator's entry, and the command of its own type."""
    bench = Bench()
    id_ = JobId(NEW_ID())
    [found] = bench.orchestrator.submit([_request()], [id_])

    assert (found.id, found.status, found.queue, found.refused) == (id_, "job-queued", "fast", None)
    spec = bench.spec_of(id_)
    assert (spec.job_type, spec.payload) == ("tile", {"number": 1, "_command": "render 1"})
    assert (spec.soft_time_limit, spec.job_name) == (10.0, "one")


def test_requests_that_need_no_creator_go_beside_those_that_do() -> None:
    """In order, each with its own answer."""
    bench = Bench()
    plain = JobSpec("job:plain", {"_command": "true"})
    found = bench.orchestrator.submit(
        [plain, _request(), _request("job:two"), replace_command(plain, "false")]
    )

    assert [one.status for one in found] == ["job-queued", "job-queued", "", "job-queued"]
    assert isinstance(found[2].refused, CreatorFailed)
    assert [bench.spec_of(one.id).job_type for one in found if not one.refused] == [
        "job:plain",
        "tile",
        "job:plain",
    ]


def replace_command(spec: JobSpec, command: str) -> JobSpec:
    """The same job with another command."""
    return JobSpec(spec.job_type, {"_command": command})


def test_when_the_second_creator_raises_nothing_was_submitted() -> None:
    """The original had queued the first one's jobs by then."""
    bench = Bench()
    [found] = bench.orchestrator.submit([_request("job:two")])

    assert "job type job:two: creator m.bad raised KeyError: 'x'" in str(found.refused)
    assert bench.ledger.book.records == {}


def test_a_refused_submission_with_an_id_of_its_own_is_on_record() -> None:
    """Whoever waits for it sees why; whoever repeats it is told the same, and no creator is called again."""
    bench = Bench()
    id_ = JobId(NEW_ID())
    [first] = bench.orchestrator.submit([_request("job:two")], [id_])
    called = len(bench.calls)
    [again] = bench.orchestrator.submit([_request("job:two")], [id_])

    [kept] = bench.ledger.kept([id_])
    assert kept is not None
    assert (kept.record.status, kept.record.reason) == (Status.FAILED, "invalid")
    assert "raised KeyError: 'x'\n  in bad" in json.loads(kept.error)["error"]
    assert "raised KeyError" in str(first.refused)
    assert "raised KeyError" in str(again.refused)
    assert len(bench.calls) == called


def test_a_repeat_is_the_same_job_whatever_its_creator_would_make_now() -> None:
    """A redelivered request does not submit twice, and no creator is called for it."""
    bench = Bench()
    id_ = JobId(NEW_ID())
    [first] = bench.orchestrator.submit([_request()], [id_])
    [again] = bench.orchestrator.submit([_request()], [id_])

    assert (again.repeated, again.status, again.queue, again.refused) == (True, first.status, "fast", None)
    assert bench.spec_of(id_).payload["number"] == 1
    assert len(bench.calls) == 1


def test_another_request_under_the_same_id_is_a_conflict() -> None:
    """Even if its creator makes the same job of it."""
    bench = Bench()
    bench.answer = [{"type": "tile", "params": {"number": 7}}]
    id_ = JobId(NEW_ID())
    bench.orchestrator.submit([_request()], [id_])
    [other] = bench.orchestrator.submit([_request(tag="other")], [id_])

    assert other.refused is not None
    assert other.refused.code == "conflict"


def test_a_request_that_its_type_does_not_allow_calls_no_creator() -> None:
    """As any spec that is wrong: nothing of the batch is submitted."""
    bench = Bench()
    with pytest.raises(InvalidSpec, match="needs an image"):
        bench.orchestrator.submit([JobSpec("job:plain", {"_command": "true"}), _request("job:later")])

    assert bench.calls == []
    assert bench.ledger.book.records == {}


@pytest.mark.parametrize(
    ("job", "why"),
    [
        ({"type": "tile", "params": {}}, "$.payload.number: is required"),
        ({"type": "unknown", "params": {}}, "$.payload._command: is required"),
        ({"type": "tile", "params": {"number": 1}, "time_limit": 101}, "$.time_limit: "),
    ],
)
def test_a_created_job_that_its_own_type_does_not_allow_is_refused(job: dict[str, Any], why: str) -> None:
    """Its creator is to blame, not the request."""
    bench = Bench()
    bench.answer = [job]
    [found] = bench.orchestrator.submit([_request()])

    assert isinstance(found.refused, CreatorFailed)
    assert found.refused.args[0] == "job type job:one: its creators made a job that can't be submitted"
    assert any(one.startswith(why) for one in found.refused.details)


def test_a_type_whose_name_is_no_queue_is_placed_by_its_creators() -> None:
    """The request itself stands in no queue."""
    bench = Bench()
    [found] = bench.orchestrator.submit([_request("job:v1:odd name")])

    assert (found.queue, found.refused) == ("fast", None)


def test_a_check_calls_no_creator() -> None:
    """It says what type and policies say."""
    bench = Bench()
    bench.orchestrator.check(_request())
    with pytest.raises(InvalidSpec, match="needs an image"):
        bench.orchestrator.check(_request("job:later"))

    assert bench.calls == []


def test_a_retry_of_a_created_job_is_that_job_again() -> None:
    """Its creators made it once; a retry calls none."""
    bench = Bench()
    bench.answer = [{"type": "one", "params": {"_command": "render"}}]
    [first] = bench.orchestrator.submit([_request()])
    bench.ledger.cancel([first.id])
    [again] = bench.orchestrator.submit([bench.spec_of(first.id)], retry_of=[first.id])

    assert bench.spec_of(again.id) == bench.spec_of(first.id)
    assert len(bench.calls) == 1


def test_several_jobs_are_a_group_under_the_submissions_id() -> None:
    """All of them or none; a repeat is told of the group, and no creator is called again."""
    bench = Bench()
    bench.answer = [{"type": "tile", "params": {"number": n}} for n in range(3)]
    id_ = JobId(NEW_ID())

    [found] = bench.orchestrator.submit([_request()], [id_])
    [again] = bench.orchestrator.submit([_request()], [id_])

    assert (found.status, found.members, found.queue) == ("job-waiting", 3, "fast")
    assert (again.repeated, again.members, len(bench.calls)) == (True, 3, 1)
    members = [record for record in bench.ledger.book.records.values() if record.parent == id_]
    assert {bench.spec_of(one.id).payload["_command"] for one in members} == {f"render {n}" for n in range(3)}


def test_a_group_that_was_cut_off_is_completed_by_whoever_submits_it_again() -> None:
    """Its creators are called once more; where they make other jobs now, it is a conflict."""
    bench = Bench()
    jobs = [{"type": "tile", "params": {"number": n}} for n in range(600)]
    done, other = JobId(NEW_ID()), JobId(NEW_ID())
    found: list[Submission] = []
    for id_ in (done, other):
        bench.answer = jobs
        bench.ledger.seals = False
        with pytest.raises(Unreachable):
            bench.orchestrator.submit([_request()], [id_])
        bench.ledger.seals = True
        bench.answer = jobs if id_ == done else jobs[1:] + jobs[:1]
        found += bench.orchestrator.submit([_request()], [id_])

    assert (found[0].refused, found[0].members) == (None, 600)
    assert isinstance(found[1].refused, Conflict)
    assert sum(record.parent == done for record in bench.ledger.book.records.values()) == 600


def test_what_a_request_comes_after_its_job_comes_after() -> None:
    """One job or a group of them."""
    bench = Bench()
    [first] = bench.orchestrator.submit([JobSpec("job:plain", {"_command": "true"})])
    after = After((first.id,))

    [single] = bench.orchestrator.submit([_request(after=after)])
    bench.answer = [{"type": "tile", "params": {"number": n}} for n in range(2)]
    [group] = bench.orchestrator.submit([_request(after=after, tag="other")])

    records = bench.ledger.book.records
    assert [records[one.id].reason for one in (single, group)] == ["after", "after"]


def test_a_request_with_creators_is_no_array() -> None:
    """They say what jobs it becomes; a job of theirs may be one."""
    bench = Bench()

    with pytest.raises(InvalidSpec, match="has creators"):
        bench.orchestrator.submit([_request(array="0-3")])
    bench.answer = [{"type": "tile", "params": {"number": 1}, "array": "0-3"}]
    [found] = bench.orchestrator.submit([_request()])

    assert found.members == 4


def _tiles(count: int) -> list[dict[str, Any]]:
    return [{"type": "tile", "params": {"number": number}} for number in range(count)]


def test_several_jobs_are_members_of_a_group_under_the_submissions_id() -> None:
    """Their ids follow from its id and their places; each has the command of its own type."""
    bench = Bench()
    bench.answer = _tiles(3)
    id_ = JobId(NEW_ID())
    [found] = bench.orchestrator.submit([_request()], [id_])

    members = [ids.child(id_, position) for position in range(3)]
    assert (found.id, found.members, found.refused) == (id_, 3, None)
    assert set(bench.ledger.book.records) == {id_, *members}
    assert bench.ledger.book.records[id_].kind == GROUP
    assert [bench.spec_of(member).payload["_command"] for member in members] == [
        "render 0",
        "render 1",
        "render 2",
    ]
    assert {bench.ledger.book.records[member].parent for member in members} == {id_}


def test_a_repeated_fan_out_calls_no_creator_and_makes_nothing() -> None:
    """Whatever its creator would make of it now."""
    bench = Bench()
    bench.answer = _tiles(3)
    id_ = JobId(NEW_ID())
    bench.orchestrator.submit([_request()], [id_])
    bench.answer = _tiles(5)
    [again] = bench.orchestrator.submit([_request()], [id_])

    assert (again.repeated, again.members, again.refused) == (True, 3, None)
    assert len(bench.ledger.book.records) == 4
    assert len(bench.calls) == 1


def test_a_member_that_its_type_does_not_allow_refuses_the_whole() -> None:
    """Nothing of the others was submitted."""
    bench = Bench()
    bench.answer = [*_tiles(2), {"type": "tile", "params": {}}]
    [found] = bench.orchestrator.submit([_request()])

    assert isinstance(found.refused, CreatorFailed)
    assert found.refused.details == ("$.payload.number: is required: the type's command takes it as $number",)
    assert bench.ledger.book.records == {}
