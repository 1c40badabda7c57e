"""What the reconciler puts right."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.roster_memory import MemoryRoster
from hysds.core.errors import Internal, Unreachable
from hysds.core.floor_requests import Announcement, Fit
from hysds.core.record import GROUP
from hysds.core.requests import Acceptance, Bid, Held, Moved, Renewal
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.reconciler.duties import Pace, Reconciler
from hysds.reconciler.unheard import Unheard
from hysds.reconciler.watch import Watch
from hysds.testing import FakeClock


class Bench:
    """A ledger in memory, a bell that counts, a reconciler with a small batch."""

    def __init__(self, ledger: type[MemoryLedger] = MemoryLedger) -> None:
        self.clock = FakeClock()
        self.ledger = ledger(3_600_000, self.clock)
        self.bell = MemoryBell()
        self.roster = MemoryRoster(self.clock)
        self.wall_ms = lambda: self.clock() // 1000
        self.reconciler = self.make(Pace(batch=3))
        self.new_id = Uuid7Source(lambda: self.clock() // 1000)

    def make(self, pace: Pace) -> Reconciler:
        unheard = Unheard(60, lambda: self.clock() / 1e6)
        watch = Watch(self.ledger, self.roster, "r1", self.wall_ms)
        return Reconciler(self.ledger, Dispatcher(self.bell), pace, unheard, watch, lambda: 0)

    def accept(self, count: int, wait_s: float = 0) -> list[str]:
        wake_ms = (self.clock() + round(wait_s * 1e6)) // 1000 if wait_s else 0
        jobs = [Acceptance(self.new_id(), "d", "{}", "q", "1s", wake_ms=wake_ms) for _ in range(count)]
        self.ledger.accept(jobs)
        self.bell.take("q")
        return [job.id for job in jobs]

    def claim(self) -> None:
        bid = Bid("w@a/1", ("q",), Fit(now=("1s",)), self.new_id(), 30_000, 60_000)
        assert self.ledger.claim(bid).lease is not None

    def renew(self, job: str) -> None:
        self.announce(Held(job, self.ledger.book.records[job].fence))

    def announce(self, *held: Held) -> None:
        said = Announcement("here", "a", ("q",), 8, Fit(now=("1s",)))
        self.ledger.renew(Renewal("w@a/1", said, held, (), 30_000, 60_000))

    def pass_time(self, seconds: int) -> None:
        """In steps that the ledger's clock follows."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.reconciler.round()


def test_a_sealed_group_is_let_in_whatever_became_of_its_submitter() -> None:
    """All of its members, in as many steps as it takes, and somebody is told of them."""
    bench = Bench()
    group = Acceptance(bench.new_id(), "d", "{}", "q", "1s", kind=GROUP, members=7, staged=7)
    members = [Acceptance(bench.new_id(), "d", "{}", "q", "1s", parent=group.id) for _ in range(7)]
    bench.ledger.accept([group])
    bench.ledger.stage(group.id, 0, members)
    bench.ledger.seal(group.id)

    done = bench.reconciler.round()

    assert done.settled == 7
    assert [bench.ledger.book.records[each.id].status for each in members] == [Status.QUEUED] * 7
    assert bench.bell.take("q") == 3  # one a step


def test_every_job_that_is_due_wakes_however_many_there_are(tmp_path: Path) -> None:
    """A round goes on while there are more, and rings for what it made ready."""
    bench = Bench()
    jobs = bench.accept(8, wait_s=10)
    assert bench.reconciler.round().woken == 0

    bench.clock.advance(10)

    assert bench.reconciler.round().woken == 8
    assert {bench.ledger.book.records[job].status for job in jobs} == {Status.QUEUED}
    assert bench.bell.take("q") > 0


def test_a_lease_that_runs_out_gives_its_job_to_others() -> None:
    """After its 30 s, on a clock that does not jump."""
    bench = Bench()
    [job] = bench.accept(1)
    bench.claim()
    bench.clock.advance(3600)
    bench.reconciler.round()
    assert bench.ledger.book.records[job].status is Status.STARTED

    bench.pass_time(30)

    assert bench.ledger.book.records[job].status is Status.QUEUED
    assert bench.bell.take("q") == 1


def test_a_job_whose_worker_is_silent_for_half_a_lease_is_shown_as_offline() -> None:
    """Until the lease is renewed, or runs out; the job itself stays with its worker."""
    bench = Bench()
    [job] = bench.accept(1)
    bench.claim()
    bench.pass_time(14)
    assert not bench.ledger.book.records[job].suspect

    bench.pass_time(2)

    assert bench.ledger.book.records[job].suspect
    assert bench.ledger.book.records[job].status is Status.STARTED
    bench.renew(job)
    assert not bench.ledger.book.records[job].suspect


def test_a_job_is_told_as_offline_once_however_many_look() -> None:
    """Three reconcilers side by side suspect five silent jobs five times in all."""
    bench = Bench()
    bench.accept(5)
    for _ in range(5):
        bench.claim()
    bench.pass_time(14)
    bench.clock.advance(2)

    rounds = [bench.make(Pace(batch=3)).round() for _ in range(3)]

    assert [one.suspected for one in rounds] == [5, 0, 0]


def test_a_queue_without_a_worker_is_rung_for_again_and_one_with_a_worker_is_not() -> None:
    """One bell a queue, however long nobody comes: no job waits for it, but a scaler may look at it."""
    bench = Bench()
    bench.accept(3)
    bench.pass_time(59)
    assert bench.bell.take("q") == 0

    bench.pass_time(300)

    assert bench.bell.waiting("q") == 1
    bench.bell.take("q")
    for _ in range(100):
        bench.announce()
        bench.pass_time(1)
    assert bench.bell.take("q") == 0


def test_what_the_store_confirmed_is_forgotten_after_its_retention() -> None:
    """And not before."""
    bench = Bench()
    jobs = bench.accept(5)
    bench.ledger.cancel(jobs)
    for job in jobs:
        bench.ledger.confirm([(job, bench.ledger.book.records[job].revision)])
    assert bench.reconciler.round().forgotten == 0

    bench.clock.advance(3_600)

    assert bench.reconciler.round().forgotten == 5
    assert bench.ledger.book.records == {}


def test_the_audit_mends_what_a_bug_left_behind() -> None:
    """A queued job that stands in no ready list would wait for ever."""
    bench = Bench()
    [job] = bench.accept(1)
    bench.ledger.book.places.ready.clear()

    mended = [finding for _ in range(10) for finding in bench.reconciler.round().mended]

    assert [finding[0] for finding in mended] == [job]
    bench.claim()


class Stuck(MemoryLedger):
    """A broken key stands in the way of one duty."""

    def wake(self, limit: int) -> Moved:
        raise Internal("due holds a list")


def test_a_duty_that_is_refused_keeps_no_other_from_being_done() -> None:
    """It ended the reconciler: with one broken key no lease of any job ran out any more."""
    bench = Bench(Stuck)
    [job] = bench.accept(1)
    bench.claim()

    bench.pass_time(31)

    assert bench.ledger.book.records[job].status is Status.QUEUED
    assert [str(error) for error in bench.reconciler.round().refused] == ["due holds a list"]


class Away(MemoryLedger):
    """It does not answer in the first two rounds."""

    asked = 0

    def wake(self, limit: int) -> Moved:
        self.asked += 1
        if self.asked <= 2:
            raise Unreachable("ledger", "away")
        return super().wake(limit)


class FiveRounds(threading.Event):
    """Ends the fifth round without a wait."""

    waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        if self.waits == 5:
            self.set()
        return self.is_set()


def test_a_ledger_that_goes_away_and_comes_back_is_told_once_each(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads that nothing is put right also reads that it is again."""
    with caplog.at_level(logging.WARNING):
        Bench(Away).reconciler.run(FiveRounds())

    assert [record.message for record in caplog.records] == [
        "nothing is put right: the ledger can't be reached: away",
        "the ledger answers again: duties go on",
    ]


def test_a_reconciler_goes_on_after_any_round(caplog: pytest.LogCaptureFixture) -> None:
    """Refused or unreachable, it is tried again; what was refused is told."""
    bench = Bench(Stuck)
    stop = threading.Event()
    thread = threading.Thread(target=bench.make(Pace(interval_s=0.001, batch=3)).run, args=(stop,))
    with caplog.at_level(logging.ERROR), bench.ledger.changed:
        thread.start()
        steps = iter(range(20))
        bench.ledger.changed.wait_for(lambda: next(steps, None) is None, 30)
    stop.set()
    thread.join()

    assert "a duty could not be done: due holds a list" in caplog.text


class Damaged(MemoryLedger):
    """One record can't be read."""

    def expire(self, limit: int) -> Moved:
        return Moved((("j1", "damaged"),))

    def audit(self, cursor: str, limit: int) -> tuple[str, tuple[tuple[str, str], ...]]:
        return "", (("j2", "its record is unreadable: set aside as damaged:j2"), ("j3", "stood at nowhere"))


def test_a_record_that_was_set_aside_is_told_as_an_error_and_not_as_mended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody has put that job right."""
    bench = Bench(Damaged)
    stop = OneRound()

    bench.reconciler.run(stop)

    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert told == [
        "job j1: its record is unreadable: set aside",
        "job j2: its record is unreadable: set aside as damaged:j2",
        "job j3: stood at nowhere; mended",
    ]


class OneRound(threading.Event):
    """Set after the first round."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def test_further_duties_are_done_in_each_round_whatever_becomes_of_one() -> None:
    """One that the ledger refuses is told of, and keeps no other from being done."""
    bench, done = Bench(), list[int]()

    def refused() -> int:
        raise Internal("a key has a wrong type")

    def good() -> int:
        done.append(1)
        return 1

    bench.reconciler.also(refused)
    bench.reconciler.also(good)
    rounds = [bench.reconciler.round() for _ in range(2)]

    assert [str(error) for one in rounds for error in one.refused] == ["a key has a wrong type"] * 2
    assert done == [1, 1]
