"""Schedules and their ticks, over a ledger in memory and a clock that is set."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.schedules_memory import MemorySchedules
from hysds.core.acceptance import DedupPolicy
from hysds.core.errors import Conflict, InvalidSpec, NotFound, Refused, Unreachable
from hysds.core.job_types.catalog import EMPTY
from hysds.core.record import FOREVER
from hysds.core.schedule import CatchUp, Schedule
from hysds.core.spec import JobSpec, Resources
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.schedules import Timetable
from hysds.orchestrator.submit import Orchestrator

SPEC = JobSpec("job:report", {"_command": "make report"})
MINUTE_MS = 60_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


class Deaf(MemoryLedger):
    """A ledger that can be away."""

    away = False

    def accept(self, batch):  # type: ignore[no-untyped-def]
        if self.away:
            raise Unreachable("ledger", "away")
        return super().accept(batch)


class House:
    """A timetable whose time stands still until it is moved."""

    def __init__(self, shelf: type[MemorySchedules] = MemorySchedules) -> None:
        self.now_ms = START_MS + 500
        self.ledger = Deaf(retention_ms=3_600_000, now_us=lambda: self.now_ms * 1000)
        new_id = Uuid7Source(lambda: self.now_ms)
        policy = DedupPolicy(frozenset({Status.QUEUED, Status.STARTED, Status.COMPLETED}), FOREVER)
        orchestrator = Orchestrator(
            self.ledger, Dispatcher(MemoryBell()), Planner(Router(lambda: EMPTY, Ground(policy, 300))), new_id
        )
        self.shelf: Any = shelf(lambda: self.now_ms * 1000)
        self.timetable = Timetable(self.shelf, orchestrator, new_id, lambda: self.now_ms)

    def add(self, expression: str = "* * * * *", catch_up: CatchUp = CatchUp.LATEST) -> Schedule:
        return self.timetable.add("s", (expression, "UTC"), SPEC, catch_up)

    def pass_minutes(self, minutes: float) -> int:
        """Time passes, then a reconciler makes its rounds until nothing is due."""
        self.now_ms += round(minutes * MINUTE_MS)
        fired = 0
        while count := self.timetable.fire_due():
            fired += count
        return fired

    def ticks(self) -> list[float]:
        """The minutes after the start for which there is a job, each as often as there is one."""
        times = [json.loads(spec)["tick"]["time"] for spec in self.ledger.book.specs.values()]
        return sorted((time * 1000 - START_MS) / MINUTE_MS for time in times)


def test_each_tick_becomes_one_job() -> None:
    """It is no duplicate of the one before, though it does the same."""
    house = House()
    house.add()

    assert [house.pass_minutes(1) for _ in range(3)] == [1, 1, 1]
    assert house.ticks() == [1, 2, 3]
    assert {record.status for record in house.ledger.book.records.values()} == {Status.QUEUED}


@pytest.mark.parametrize(
    ("catch_up", "ticks"),
    [
        (CatchUp.LATEST, [10, 70, 80]),
        (CatchUp.SKIP, [10, 80]),
        (CatchUp.ALL, [10, 20, 30, 40, 50, 60, 70, 80]),
    ],
)
def test_missed_ticks_are_made_good_as_the_schedule_says(catch_up: CatchUp, ticks: list[float]) -> None:
    """An hour without a reconciler."""
    house = House()
    house.add("*/10 * * * *", catch_up)
    house.pass_minutes(10)
    house.pass_minutes(65)
    house.pass_minutes(5)

    assert house.ticks() == ticks


def test_a_tick_that_was_missed_is_skipped_where_the_schedule_says_so() -> None:
    """And the next one comes at its time."""
    house = House()
    house.add("0 * * * *", CatchUp.SKIP)

    assert house.pass_minutes(62) == 0
    assert house.pass_minutes(58) == 1
    assert house.ticks() == [120]


def test_a_tick_survives_a_ledger_that_is_away() -> None:
    """It is noted under its job's id, and fired when the ledger answers again: once."""
    house = House()
    house.add("0 * * * *")
    house.ledger.away = True
    with pytest.raises(Unreachable):
        house.pass_minutes(60)
    noted = house.timetable.get("s").pending
    house.ledger.away = False

    assert house.pass_minutes(5) == 1
    assert house.ticks() == [60]
    assert house.timetable.get("s").last == noted


def test_who_stood_still_for_hours_fires_nothing_again() -> None:
    """The tick was fired by another, and its job is long forgotten: its id is too old to be taken."""
    house = House()
    house.add("0 0 * * *")
    house.now_ms += 24 * 60 * MINUTE_MS
    stale = house.shelf.due(1)[1][0]
    house.timetable.fire_due()
    noted = house.timetable.get("s").last
    assert noted is not None
    house.ledger.book.records.clear()
    house.now_ms += 120 * MINUTE_MS

    house.timetable._submit_tick(stale, noted)
    assert house.ledger.book.records == {}


def test_a_tick_whose_id_is_too_old_is_told_of() -> None:
    """Whoever noted it died, and nobody looked for longer than the ledger remembers: it may have been fired, or not."""
    house = House()
    house.add("0 0 * * *")
    house.ledger.away = True
    with pytest.raises(Unreachable):
        house.pass_minutes(24 * 60)
    house.ledger.away = False

    house.pass_minutes(120)

    kept = house.timetable.get("s")
    assert kept.pending is None
    assert "the id was made too long ago" in kept.error
    assert house.ticks() == []


def test_a_clock_that_was_a_year_ahead_stops_no_schedule() -> None:
    """Its next tick is brought back to where it belongs."""
    house = House()
    house.add()
    house.now_ms += 365 * 24 * 60 * MINUTE_MS
    assert house.timetable.fire_due() == 1
    house.now_ms = START_MS + 5 * MINUTE_MS
    for _ in range(60):
        house.timetable.fire_due()

    assert house.pass_minutes(1) == 1
    assert house.timetable.get("s").last.tick_ms == START_MS + 6 * MINUTE_MS  # type: ignore[union-attr]


def test_a_clock_that_swings_fires_no_tick_again() -> None:
    """It is set back behind a tick that was fired, by less than an hour."""
    house = House()
    house.add("0 * * * *")
    assert house.pass_minutes(60) == 1
    house.now_ms -= 30 * MINUTE_MS
    for _ in range(61):
        house.timetable.fire_due()

    assert house.pass_minutes(60) == 0
    assert house.pass_minutes(30) == 1
    assert house.ticks() == [60, 120]


def test_a_schedule_that_can_t_be_fired_keeps_no_other_from_it() -> None:
    """Its zone is unknown to this host, say."""
    house = House()
    house.add()
    ill = replace(house.timetable.get("s"), name="ill", tz="Atlantis/Capital", next_ms=START_MS)
    house.shelf.put(ill, None)

    assert house.pass_minutes(1) == 1
    assert house.timetable.get("s").fired == 1


def test_a_paused_schedule_fires_nothing_and_makes_nothing_good() -> None:
    """Its ticks go on when it is resumed, from then on."""
    house = House()
    house.add()
    house.timetable.pause("s")
    assert house.pass_minutes(10) == 0
    house.timetable.resume("s")

    assert house.pass_minutes(1) == 1
    assert house.ticks() == [11]


def test_run_now_is_beside_the_ticks() -> None:
    """Also of a paused one."""
    house = House()
    house.add("0 * * * *")
    house.timetable.pause("s")
    found = house.timetable.run_now("s")

    assert found.status == "job-queued"
    assert house.timetable.get("s").next_ms == START_MS + 60 * MINUTE_MS


def test_a_refused_job_is_told_by_the_schedule() -> None:
    """The next tick is tried all the same."""
    house = House()
    house.add()
    for number in range(300):  # the queue takes no more shapes
        spec = JobSpec("job:report", {"_command": f"{number}"}, resources=_memory(number))
        house.timetable._orchestrator.submit([spec])
    house.timetable.add(
        "big",
        ("* * * * *", "UTC"),
        JobSpec("job:report", {"_command": "big"}, resources=_memory(999)),
        CatchUp.LATEST,
    )
    house.pass_minutes(1)

    big = house.timetable.get("big")
    assert "different resource shapes" in big.error
    assert (big.pending, big.fired) == (None, 1)


def test_a_name_is_taken_once() -> None:
    """A second one is refused, unless it is to replace the first; then what was fired stays known."""
    house = House()
    house.add()
    house.pass_minutes(1)
    with pytest.raises(Conflict, match="remove it, or replace it"):
        house.add("0 * * * *")
    replaced = house.timetable.add("s", ("0 0 * * *", "UTC"), SPEC, CatchUp.ALL, over=True)

    assert (replaced.fired, replaced.catch_up) == (1, CatchUp.ALL)
    assert house.timetable.all() == (replaced,)


@pytest.mark.parametrize("name", ["", "-x", "a b", "x" * 129, "a/b"])
def test_names_are_plain(name: str) -> None:
    """They stand in commands and variables."""
    with pytest.raises(InvalidSpec):
        House().timetable.add(name, ("* * * * *", "UTC"), SPEC, CatchUp.LATEST)


def test_unknown_names_are_said() -> None:
    """By each command."""
    timetable = House().timetable
    for command in (timetable.get, timetable.pause, timetable.resume, timetable.remove, timetable.run_now):
        with pytest.raises(NotFound, match="no schedule nope"):
            command("nope")


def test_what_was_removed_fires_no_more() -> None:
    """Its jobs stay."""
    house = House()
    house.add()
    house.pass_minutes(1)
    house.timetable.remove("s")

    assert house.pass_minutes(10) == 0
    assert house.ticks() == [1]


def _memory(number: int) -> Resources:
    return Resources(memory=(number + 1) * 256 * 2**20)


class Cut(MemorySchedules):
    """Keeps nothing that was fired, as where its process dies before that."""

    is_cut = False

    def put(self, schedule: Schedule, over: int | None) -> bool:
        return False if self.is_cut and schedule.pending is None else super().put(schedule, over)


def test_a_tick_that_is_a_job_already_stays_that_job_when_its_schedule_is_replaced() -> None:
    """Between the submission and its note; the next tick is of the new spec, and nothing is told as an error."""
    house = House(Cut)
    house.add()
    house.shelf.is_cut = True
    house.now_ms += MINUTE_MS
    assert house.timetable.fire_due() == 1
    other = replace(SPEC, payload={"_command": "make another"})
    house.shelf.is_cut = False
    assert (
        house.timetable.add("s", ("* * * * *", "UTC"), other, CatchUp.LATEST, over=True).pending is not None
    )

    assert house.pass_minutes(1) == 2
    assert house.timetable.get("s").error == ""
    assert house.ticks() == [1, 2]
    commands = {json.loads(spec)["payload"]["_command"] for spec in house.ledger.book.specs.values()}
    assert commands == {"make report", "make another"}


def test_jobs_that_would_all_be_duplicates_are_no_schedule() -> None:
    """A payload_hash is the same at each time; without deduplication it does no harm."""
    house = House()
    hashed = replace(SPEC, payload_hash="same")
    with pytest.raises(InvalidSpec, match=r"payload_hash.*duplicate of the first"):
        house.timetable.add("s", ("* * * * *", "UTC"), hashed, CatchUp.LATEST)
    house.timetable.add("s", ("* * * * *", "UTC"), replace(hashed, enable_dedup=False), CatchUp.LATEST)

    assert [house.pass_minutes(1) for _ in range(2)] == [1, 1]


class Foreign(MemorySchedules):
    """Holds one that can't be read here."""

    def unreadable(self) -> tuple[str, ...]:
        return ("s",)


def test_what_cannot_be_read_is_neither_changed_nor_unknown() -> None:
    """It is said to be there, and how to be rid of it."""
    house = House(Foreign)
    with pytest.raises(Refused, match=r"can't be read here.*hysds schedule remove s"):
        house.timetable.get("s")
    with pytest.raises(Conflict, match="hysds schedule remove s"):
        house.add()
