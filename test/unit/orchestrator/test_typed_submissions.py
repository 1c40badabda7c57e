"""Submissions of registered types: what they become, repeated when the types have changed, refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.acceptance import DedupPolicy
from hysds.core.errors import Conflict, InvalidSpec
from hysds.core.ids import JobId
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Command, Dedup, JobType
from hysds.core.record import FOREVER
from hysds.core.spec import JobSpec, from_stored
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.submit import Orchestrator

TYPE = JobType("job:x", command=Command("/bin/x", (), ("$n",)), queues=("gpu",), places=2)
SPEC = JobSpec("job:x", {"n": 1})


class Bench:
    """An orchestrator over a ledger in memory; `types` may change."""

    def __init__(self, *types: JobType) -> None:
        self.types = types
        self.ledger = MemoryLedger(retention_ms=3_600_000)
        self.new_id = Uuid7Source()
        ground = Ground(DedupPolicy(frozenset({Status.QUEUED}), FOREVER), 300.0)
        planner = Planner(Router(lambda: catalog.catalog(self.types), ground))
        self.orchestrator = Orchestrator(self.ledger, Dispatcher(MemoryBell()), planner, self.new_id)

    def id(self) -> JobId:
        """A new one of the caller's own."""
        return JobId(self.new_id())

    def stored(self, id_: JobId) -> JobSpec:
        """The spec that will run."""
        [kept] = self.ledger.kept([id_])
        assert kept is not None
        return from_stored(kept.spec)


def test_a_job_of_a_type_holds_the_command_that_was_made() -> None:
    """In its payload, so that whoever reads the document sees what ran."""
    bench, id_ = Bench(TYPE), JobId(Uuid7Source()())

    [answer] = bench.orchestrator.submit([SPEC], [id_])

    assert (answer.queue, answer.status) == ("gpu", Status.QUEUED)
    assert bench.stored(id_).payload == {"n": 1, "_command": "/bin/x 1"}


def test_a_repeat_is_a_repeat_whatever_the_type_says_by_then() -> None:
    """Another command, a parameter more, an image, or no type at all: the caller learns what became of its job."""
    bench = Bench(TYPE)
    id_ = bench.id()
    bench.orchestrator.submit([SPEC], [id_])

    for types in (
        (replace(TYPE, command=Command("/bin/y")),),
        (replace(TYPE, command=Command("/bin/x", (), ("$n", "$more"))),),
        (replace(TYPE, refusals=("needs an image",)),),
        (),
    ):
        bench.types = types
        [again] = bench.orchestrator.submit([SPEC], [id_])
        assert (again.repeated, again.refused, again.status) == (True, None, Status.QUEUED)
    assert bench.stored(id_).argv == ("/bin/x", "1")


def test_another_request_under_the_id_is_a_conflict() -> None:
    """Also where the type would make the same job of it."""
    bench = Bench(replace(TYPE, command=Command("/bin/x")))
    id_ = bench.id()
    bench.orchestrator.submit([SPEC], [id_])

    [answer] = bench.orchestrator.submit([replace(SPEC, payload={"n": 2})], [id_])

    assert isinstance(answer.refused, Conflict)


def test_a_refused_submission_with_an_id_of_its_own_is_on_record() -> None:
    """As failed and invalid, with the complaint; the same again is refused again."""
    bench = Bench(TYPE)
    id_ = bench.id()

    for _ in range(2):
        with pytest.raises(InvalidSpec, match=r"payload.n: is required"):
            bench.orchestrator.submit([replace(SPEC, payload={})], [id_])

    [kept] = bench.ledger.kept([id_])
    assert kept is not None
    assert (kept.record.status, kept.record.reason) == (Status.FAILED, "invalid")
    assert "$.payload.n" in kept.error


def test_nothing_is_submitted_where_one_of_several_is_refused() -> None:
    """The first wrong one is told."""
    bench = Bench(TYPE)

    with pytest.raises(InvalidSpec):
        bench.orchestrator.submit([SPEC, replace(SPEC, payload={}), SPEC])

    assert bench.ledger.book.records == {}


def test_what_a_type_ignores_makes_no_other_job() -> None:
    """The second submission stands behind the first."""
    bench = Bench(replace(TYPE, command=Command("/bin/x", (), ("$n", "$log")), dedup=Dedup(ignored=("log",))))
    spec = replace(SPEC, payload={"n": 1, "log": "a"})

    first, second, third = bench.orchestrator.submit(
        [spec, replace(spec, payload={"n": 1, "log": "b"}), replace(spec, payload={"n": 2, "log": "a"})]
    )

    assert (second.twin, second.status) == (first.id, Status.DEDUPED)
    assert third.twin is None


def test_a_type_may_never_have_duplicates() -> None:
    """As if each spec had `enable_dedup: false`."""
    bench = Bench(replace(TYPE, dedup=Dedup(enabled=False)))

    assert {answer.status for answer in bench.orchestrator.submit([SPEC, SPEC])} == {Status.QUEUED}
