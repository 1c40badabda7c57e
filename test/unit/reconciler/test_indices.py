"""New jobs get new indices in time, and old ones go whole, whoever dies in between."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.core.errors import Unreachable
from hysds.core.generations import Generations
from hysds.core.metric_names import Metric
from hysds.core.requests import Acceptance
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.indices import ROLLED, Index, Resource
from hysds.reconciler.indices import Bounds, Upkeep
from hysds.testing import FakeClock

_DAY_MS = 86_400_000
_BOUNDS = Bounds(size_bytes=1_000, age_ms=30 * _DAY_MS, retention_ms=90 * _DAY_MS)


@dataclass
class FakeIndices:
    """A cluster as numbers. `fails_at`: which call from now on does not come through, from 1."""

    clock: FakeClock
    there: dict[tuple[Resource, int], Index] = field(default_factory=dict)
    fails_at: int = 0
    made: list[int] = field(default_factory=list)
    behind_ms: int = 0
    """Of its clock."""

    def init(self, oldest: int, current: int) -> tuple[str, ...]:
        self._call()
        now_ms = self.clock() // 1000 - self.behind_ms
        for generation in range(oldest, current + 1):
            for resource in ROLLED:
                place = (resource, generation)
                self.there.setdefault(place, Index(resource, generation, 0, 0, now_ms, 0))
        self.made.append(current)
        return ()

    def all(self) -> tuple[Index, ...]:
        self._call()
        workers = Index(Resource.WORKER, 0, 5, 10**9, 0, 0)
        now_ms = self.clock() // 1000 - self.behind_ms
        return (workers, *(replace(one, asked_ms=now_ms) for one in self.there.values()))

    def drop(self, resource: Resource, generation: int) -> bool:
        self._call()
        return self.there.pop((resource, generation), None) is not None

    def change(self, generation: int, **changes: int) -> None:
        place = (Resource.JOB, generation)
        self.there[place] = replace(self.there[place], **changes)

    def generations(self) -> list[int]:
        return sorted({generation for _, generation in self.there})

    def _call(self) -> None:
        self.fails_at -= 1
        if self.fails_at == 0:
            raise Unreachable("store", "asleep")


class World:
    """A ledger, a cluster with its first indices, and one reconciler's duty."""

    def __init__(self, bounds: Bounds = _BOUNDS) -> None:
        self.bounds = bounds
        self.metrics = MemoryMetrics()
        self.clock = FakeClock()
        self.ledger = MemoryLedger(3_600_000, self.clock)
        self.indices = FakeIndices(self.clock)
        self.indices.init(1, 1)
        self.upkeep = self.another()
        self._new_id = Uuid7Source(lambda: self.clock() // 1000)

    def another(self) -> Upkeep:
        return Upkeep(self.ledger, self.indices, self.bounds, lambda: self.clock() / 1e6, self.metrics)

    def accept(self) -> str:
        id = self._new_id()
        self.ledger.accept([Acceptance(id, "d", "{}", "q", "1s")])
        return id

    def end(self, id: str, confirm: bool = True) -> None:
        self.ledger.cancel([id])
        if confirm:
            self.ledger.confirm([(id, self.ledger.book.records[id].revision)])

    def days(self, days: float) -> None:
        self.clock.advance(days * 86_400)

    def roll_over(self) -> None:
        self.indices.change(self.ledger.generations().current, size_bytes=1_000)
        self.upkeep.look()


@pytest.fixture
def world() -> World:
    return World()


def test_a_store_without_indices_is_left_to_whoever_writes_first(world: World) -> None:
    """A new system has none, and a lost one must not be rolled over while it is made again."""
    world.indices.there.clear()

    assert world.upkeep.look() == 0
    assert world.ledger.generations() == Generations(1, 1)


def test_an_index_that_is_large_is_followed_by_a_new_one(world: World) -> None:
    """Of every resource; the new one stands before jobs are born in it."""
    world.indices.change(1, size_bytes=999)
    assert world.upkeep.look() == 0
    world.indices.change(1, size_bytes=1_000)

    assert world.upkeep.look() == 1
    assert world.upkeep.look() == 0
    assert world.ledger.generations() == Generations(1, 2)
    assert world.indices.generations() == [1, 2]
    assert len(world.indices.there) == 2 * len(ROLLED)


def test_an_old_index_is_followed_by_a_new_one_where_it_holds_something(world: World) -> None:
    """A system that rests does not make an empty index a month."""
    world.days(31)
    assert world.upkeep.look() == 0
    world.indices.change(1, documents=1)

    assert world.upkeep.look() == 1
    assert world.ledger.generations().current == 2


@pytest.mark.parametrize("behind_days", [400, -400], ids=["behind", "ahead"])
def test_a_store_whose_clock_is_wrong_is_rolled_over_and_dropped_no_earlier(
    world: World, behind_days: int
) -> None:
    """Behind the ledger's, each new index looks old at once: jobs got a new one with every look, and lost old ones."""
    world.indices.there.clear()
    world.indices.behind_ms = behind_days * _DAY_MS
    world.indices.init(1, 1)
    for generation in (1, 2, 3):
        world.indices.change(generation, size_bytes=1_000, documents=1)
        world.upkeep.look()
    world.indices.change(4, documents=1)

    assert [world.upkeep.look() for _ in range(5)] == [0] * 5
    assert world.indices.generations() == [1, 2, 3, 4]


def test_what_is_old_is_dropped_whole_and_the_oldest_first(world: World) -> None:
    """Its time begins when its last job was accepted, which is when the next index was made."""
    world.roll_over()
    world.days(10)
    world.roll_over()
    world.days(79)
    world.upkeep.look()
    assert world.indices.generations() == [1, 2, 3]

    world.days(1)
    world.upkeep.look()
    assert world.indices.generations() == [2, 3]
    world.days(10)
    world.upkeep.look()

    assert world.indices.generations() == [3]
    assert world.ledger.generations() == Generations(3, 3)


def test_without_retention_nothing_is_dropped() -> None:
    """The default: forever."""
    world = World(replace(_BOUNDS, retention_ms=None))
    world.roll_over()
    world.days(10_000)
    world.upkeep.look()

    assert world.indices.generations() == [1, 2]


@pytest.mark.parametrize("ends", [False, True], ids=["live", "ended, its last document not written"])
def test_an_index_that_a_job_needs_is_kept_and_those_after_it(world: World, ends: bool) -> None:
    """However old it is; as soon as the job's last document is written, all go."""
    world.roll_over()
    id = world.accept()
    world.roll_over()
    world.roll_over()
    if ends:
        world.end(id, confirm=False)
    world.days(200)

    world.upkeep.look()
    assert world.indices.generations() == [2, 3, 4]
    world.end(id)
    world.days(1)
    world.upkeep.look()

    assert world.indices.generations() == [4]


def test_an_index_that_shows_a_job_as_live_is_kept(world: World) -> None:
    """The ledger may not know that job: the indexer ends such documents, and needs their index."""
    world.roll_over()
    world.indices.change(1, live=1)
    world.days(200)

    world.upkeep.look()
    assert world.indices.generations() == [1, 2]
    world.indices.change(1, live=0)
    world.upkeep.look()

    assert world.indices.generations() == [2]


def test_a_ledger_that_was_lost_follows_the_indices(world: World) -> None:
    """A new one begins with 1: its jobs go on in the newest index, and what it wrote to an old number meanwhile is not
    taken for old."""
    for _ in range(4):
        world.roll_over()
    world.days(95)
    world.upkeep.look()
    world.ledger = MemoryLedger(3_600_000, world.clock)
    lost, world.upkeep = world.upkeep, world.another()
    world.indices.init(1, 1)

    world.upkeep.look()
    world.days(1)
    world.upkeep.look()

    assert lost is not world.upkeep
    assert world.ledger.generations().current == 5
    assert 1 in world.indices.generations()


@pytest.mark.parametrize("at", range(1, 12))
def test_a_reconciler_that_dies_between_any_two_calls_leaves_nothing_undone(at: int) -> None:
    """The next one finishes it: new jobs always have an index, and nothing is dropped that is not given up."""
    world = World()
    world.roll_over()
    world.days(100)
    world.indices.change(2, size_bytes=2_000)
    world.indices.fails_at = at

    world.upkeep()
    now = world.ledger.generations()
    assert set(range(now.oldest, now.current + 1)) <= set(world.indices.generations())
    world.indices.fails_at = 0
    survivor = world.another()
    survivor()
    survivor()

    assert world.ledger.generations() == Generations(2, 3)
    assert world.indices.generations() == [2, 3]


def test_two_reconcilers_roll_over_once() -> None:
    """Each names the generation that it means: the second finds it there."""
    world = World()
    world.indices.change(1, size_bytes=1_000)
    first, second = world.another(), world.another()

    first.look()
    second.look()

    assert world.ledger.generations() == Generations(1, 2)


def test_a_reconciler_that_was_stopped_in_the_middle_changes_nothing_later(world: World) -> None:
    """It goes on with what it saw hours ago, after others have rolled over twice."""
    world.indices.change(1, size_bytes=1_000)
    interrupted: list[Callable[[], None]] = [world.roll_over, world.roll_over]

    class Stopped(FakeIndices):
        def init(self, oldest: int, current: int) -> tuple[str, ...]:
            while interrupted:
                interrupted.pop(0)()
            return super().init(oldest, current)

    stopped = Stopped(world.clock, world.indices.there)
    Upkeep(world.ledger, stopped, world.bounds).look()

    assert world.ledger.generations() == Generations(1, 3)
    assert world.indices.generations() == [1, 2, 3]


def test_a_store_that_does_not_answer_is_said_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Other duties are done meanwhile."""
    caplog.set_level(logging.INFO, "hysds.reconciler")
    for _ in range(2):
        world.indices.fails_at = 1
        assert world.upkeep() == 0
    world.upkeep()

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_indices_are_told_in_numbers_while_the_store_answers(world: World) -> None:
    """Of each resource how many there are; what came, and what was dropped with its time."""
    world.roll_over()
    world.upkeep()

    indices = world.metrics.numbers(Metric.INDICES)
    assert indices[(Resource.JOB.value,)] == indices[(Resource.TASK.value,)] == 2
    assert world.metrics.numbers(Metric.INDEX_BYTES)[(Resource.JOB.value,)] >= 1_000
    assert world.metrics.numbers(Metric.ROLLOVERS) == {(): 1}
    world.days(400)
    world.upkeep()
    assert world.metrics.numbers(Metric.RETIRED)[(Resource.JOB.value,)] == 1
    world.indices.fails_at = 1
    world.upkeep()
    assert world.metrics.numbers(Metric.INDICES) == {}
