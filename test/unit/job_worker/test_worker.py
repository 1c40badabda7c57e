"""A job worker over a ledger in memory: claims, leases, cancels, drains. No Celery, no process."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.adapters.ledger.logs_memory import MemoryLogs
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.errors import Internal, Unreachable
from hysds.core.requests import Acceptance, Bid, Claimed, Commit, Committed, Moved
from hysds.core.spec import JobSpec, identity, stored
from hysds.core.status import Status
from hysds.job_worker import assembly
from hysds.job_worker.presence import Identity
from hysds.job_worker.worker import JobWorker
from hysds.lib.process.ending import Ending, Moment, Reason, Usage
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.engines import Workload
from hysds.settings.model import Ledger as LedgerSettings
from hysds.settings.model import Settings, Worker

NEW_ID = Uuid7Source()


class Held:
    """A workload that runs until it is told to end."""

    pid = 4711

    def __init__(self) -> None:
        self.over = threading.Event()
        self.stopped: tuple[float, str] | None = None

    def wait(self, timeout_s: float | None) -> Ending | None:
        if not self.over.wait(timeout_s):
            return None
        reason = Reason.EXITED if self.stopped is None else Reason.STOPPED
        code = 0 if self.stopped is None else None
        now = Moment(0.0, 0.0)
        return Ending(reason, code, None if code == 0 else 15, None, "", now, now, Usage(0, 0, 0), 0)

    def stop(self, grace_s: float, reason: str) -> None:
        self.stopped = (grace_s, reason)
        self.over.set()

    def close(self) -> None:
        self.over.set()


class HeldEngine:
    """Starts workloads that a test holds in its hands."""

    def __init__(self) -> None:
        self.started: dict[str, Held] = {}
        self.beats = threading.Semaphore(0)
        self.news = threading.Condition()
        self.is_closed = False

    def prepare(self) -> None:
        pass

    def start(self, workload: Workload) -> Held:
        with self.news:
            held = self.started[workload.id.partition(".")[0]] = Held()
            if self.is_closed:
                held.close()
            self.news.notify_all()
        return held

    def running(self, job_id: str) -> Held:
        with self.news:
            assert self.news.wait_for(lambda: job_id in self.started, 30)
            return self.started[job_id]

    def beat(self) -> None:
        self.beats.release()

    def isolated(self, since_boot_s: float) -> None:
        pass

    def connected(self) -> None:
        pass

    def close(self) -> None:
        with self.news:
            self.is_closed = True
            for held in self.started.values():
                held.close()


class Moody(MemoryLedger):
    """A ledger that is away while it is told to be, and that refuses some bids."""

    def __init__(self) -> None:
        super().__init__(retention_ms=3_600_000)
        self.is_away = threading.Event()
        self.tried = threading.Semaphore(0)
        self.refuses_bids = False
        self.loses_notices = False

    def listen(self, worker: str, timeout_s: float) -> tuple[str, ...]:
        notices = super().listen(worker, timeout_s)
        return () if self.loses_notices else notices

    def claim(self, bid: Bid) -> Claimed:
        self._reach()
        return super().claim(bid)

    def commit(self, commit: Commit, bid: Bid | None = None) -> Committed:
        self._reach()
        if bid is not None and self.refuses_bids:
            raise Internal("a ready list holds a wrong type")
        return super().commit(commit, bid)

    def release(self, id: str, fence: int, delay_ms: int = 0, detail: str = "") -> Moved:
        self._reach()
        return super().release(id, fence, delay_ms, detail)

    def leave(self, worker: str) -> Moved:
        self._reach()
        return super().leave(worker)

    def _reach(self) -> None:
        if self.is_away.is_set():
            self.tried.release()
            raise Unreachable("ledger", "away")


class World:
    """A worker, its ledger, and threads that carry out what it asks Celery for."""

    def __init__(self, home: Path, slots: int = 2, renew_interval_s: float = 0.05) -> None:
        self.home = home
        self.ledger = Moody()
        self.engine = HeldEngine()
        self.lost_calls = 0
        self.swallows: Callable[[], bool] = lambda: False
        self.asked = threading.Semaphore(0)
        settings = Settings(
            home=home,
            ledger=LedgerSettings(renew_interval_s=renew_interval_s),
            worker=Worker(slots=slots, drain_timeout_s=0.0, stop_grace_s=0.2),
        )
        identity_ = Identity("w@test/1", "w@test", "test", ("q",), slots, "{}")
        logs = MemoryLogs(settings.logs)
        self.worker: JobWorker = assembly.job_worker(
            identity_, settings, assembly.World(self.ledger, logs, self.engine, random.random)
        )
        self.threads: list[threading.Thread] = []
        self.shown: list[str] = []

    def close(self) -> None:
        self.ledger.is_away.clear()
        self.worker.close()
        self.ledger.close()
        for thread in self.threads:
            thread.join()

    def start(self) -> None:
        self.worker.start(self.call, lambda: None)

    def call(self, queue: str, times: int) -> None:
        self.asked.release()
        if self.lost_calls:
            self.lost_calls -= 1
            raise RuntimeError("the pool takes nothing")
        if self.swallows():
            return
        for _ in range(times):
            thread = threading.Thread(target=self.worker.perform, args=(queue, self.shown.append))
            thread.start()
            self.threads.append(thread)

    def submit(self, command: str = "true", shape: str = "1s", priority: int = 0) -> str:
        spec = JobSpec("job:x", {"_command": command})
        job_id = NEW_ID()
        self.ledger.accept([Acceptance(job_id, identity(stored(spec)), stored(spec), "q", shape, priority)])
        return job_id

    def status(self, job_id: str) -> Status:
        [kept] = self.ledger.kept([job_id])
        assert kept is not None
        return kept.record.status

    def until(self, job_id: str, status: Status) -> None:
        with self.ledger.changed:
            assert self.ledger.changed.wait_for(lambda: self.ledger.book.records[job_id].status is status, 30)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_an_idle_worker_hears_of_a_job_through_its_inbox(world: World) -> None:
    """No bell: the ledger wakes the announced worker in the step that accepts the job."""
    world.start()
    assert world.engine.beats.acquire(timeout=30)
    job_id = world.submit()

    world.engine.running(job_id).over.set()

    world.until(job_id, Status.COMPLETED)
    assert world.shown == [job_id]


def test_work_that_was_there_before_the_worker_is_found_by_its_first_renewal(world: World) -> None:
    """A worker that starts has missed every bell."""
    jobs = [world.submit(), world.submit()]
    world.start()

    for job_id in jobs:
        world.engine.running(job_id).over.set()
        world.until(job_id, Status.COMPLETED)


def test_the_end_of_one_job_begins_the_next(world: World) -> None:
    """The commit carries the next bid: three jobs on two slots, nobody rings."""
    world.start()
    jobs = [world.submit() for _ in range(3)]
    first, second = (world.engine.running(job_id) for job_id in jobs[:2])
    assert world.status(jobs[2]) is Status.QUEUED

    first.over.set()

    world.engine.running(jobs[2]).over.set()
    second.over.set()
    for job_id in jobs:
        world.until(job_id, Status.COMPLETED)


def test_a_cancel_stops_the_running_job(world: World) -> None:
    """The inbox hurries it, the record decides: it ends revoked."""
    world.start()
    job_id = world.submit()
    held = world.engine.running(job_id)
    world.until(job_id, Status.STARTED)

    world.ledger.cancel([job_id])

    world.until(job_id, Status.REVOKED)
    assert held.stopped == (0.2, "cancel")


def test_a_lost_lease_stops_the_job_and_commits_nothing(world: World) -> None:
    """Its successor may run elsewhere: this attempt's end is nobody's business any more."""
    world.start()
    job_id = world.submit()
    held = world.engine.running(job_id)
    world.until(job_id, Status.STARTED)
    fence = world.ledger.book.records[job_id].fence

    world.ledger.leave("w@test/1")

    assert held.over.wait(30)
    assert held.stopped is None or held.stopped[1] == "lost"
    [attempt] = world.ledger.book.attempts[job_id]
    assert (attempt.fence, attempt.how) == (fence, "worker-lost")


def test_a_drain_gives_unfinished_jobs_back(world: World) -> None:
    """No attempt is burned, the job keeps its place, and nothing more is claimed."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)
    waiting = world.submit(shape="2s")
    done = threading.Event()

    world.worker.drain(done.set)

    assert done.wait(30)
    record = world.ledger.book.records[job_id]
    assert (record.status, record.fails, world.worker.is_open()) == (Status.QUEUED, "", False)
    assert world.status(waiting) is Status.QUEUED
    assert [attempt.how for attempt in world.ledger.book.attempts[job_id]] == ["released"]


def test_a_job_that_needs_two_slots_waits_for_both(world: World) -> None:
    """And blocks nobody who fits beside."""
    world.start()
    small = world.submit()
    held = world.engine.running(small)
    big = world.submit(shape="2s")
    assert world.status(big) is Status.QUEUED

    held.over.set()

    world.engine.running(big).over.set()
    world.until(big, Status.COMPLETED)


def test_a_thousand_bells_for_one_job_run_it_once(world: World) -> None:
    """A bell says that there may be work, no more."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)

    answers = {world.worker.perform("q", world.shown.append) for _ in range(1000)}

    assert answers == {None}
    world.engine.running(job_id).over.set()
    world.until(job_id, Status.COMPLETED)
    assert len(world.ledger.book.attempts[job_id]) == 1


def test_a_directory_that_can_t_be_written_fails_the_attempt_with_its_reason(tmp_path: Path) -> None:
    """The job is tried again later, as its environment's budget says, and the document tells why."""
    world = World(tmp_path)
    try:
        (tmp_path / "work" / "jobs").write_text("in the way")
        job_id = world.submit()
        assert world.worker.perform("q", world.shown.append) == job_id

        record = world.ledger.book.records[job_id]
        assert (record.status, record.fails) == (Status.WAITING, "e1")
        [attempt] = world.ledger.book.attempts[job_id]
        assert attempt.how == "environment"
        assert "prepare: " in attempt.detail
    finally:
        world.worker.close()


def test_a_job_that_does_away_with_all_work_directories_ends_all_the_same(world: World) -> None:
    """Its commit carries a bid, and a bid measures the disk: the end of the job must not depend on that."""
    world.start()
    job_id = world.submit()
    held = world.engine.running(job_id)

    (world.home / "work").rename(world.home / "gone")
    held.over.set()

    world.until(job_id, Status.COMPLETED)


def test_a_monitor_that_fails_does_not_cost_the_job_its_run(world: World) -> None:
    """Celery's events travel through the broker, which may be away."""

    def fail(job_id: str) -> None:
        raise OSError("the broker is away")

    job_id = world.submit()
    thread = threading.Thread(target=world.worker.perform, args=("q", fail))
    thread.start()
    world.engine.running(job_id).over.set()
    thread.join()

    assert world.status(job_id) is Status.COMPLETED
    assert len(world.ledger.book.attempts[job_id]) == 1


def test_a_request_that_could_not_be_made_is_asked_for_again(world: World) -> None:
    """The job waits a renewal longer, and no thread of the worker dies of it."""
    world.lost_calls = 3
    job_id = world.submit()
    world.start()

    world.engine.running(job_id).over.set()

    world.until(job_id, Status.COMPLETED)


def test_a_lease_in_hand_whose_request_got_lost_is_asked_for_again(tmp_path: Path) -> None:
    """It was won with the commit of the job before; its slot is taken and its lease renewed, so nobody else helps."""
    world = World(tmp_path, slots=1)
    try:
        world.start()
        first = world.submit()
        held = world.engine.running(first)
        second = world.submit()
        world.lost_calls = 2

        held.over.set()

        world.engine.running(second).over.set()
        world.until(second, Status.COMPLETED)
        assert world.lost_calls == 0
    finally:
        world.close()


def test_an_end_is_recorded_also_where_the_bid_that_it_carries_is_refused(world: World) -> None:
    """The step happens whole or not at all: a broken ready list must not have every job run again and again."""
    world.ledger.refuses_bids = True
    world.start()
    job_id = world.submit()

    world.engine.running(job_id).over.set()

    world.until(job_id, Status.COMPLETED)
    assert [attempt.how for attempt in world.ledger.book.attempts[job_id]] == ["job-completed"]


def test_a_job_stopped_by_a_cancel_that_the_ledger_forgot_goes_back(world: World) -> None:
    """A failover may forget it; a revocation that nobody asked for is refused, and the job is not lost over it."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)
    world.until(job_id, Status.STARTED)
    fence = world.ledger.book.records[job_id].fence
    with world.ledger.changed:
        world.ledger.book.floor.inboxes["w@test/1"] = (f"cancel {job_id} {fence}",)
        world.ledger.changed.notify_all()

    with world.ledger.changed:
        attempts = world.ledger.book.attempts
        assert world.ledger.changed.wait_for(lambda: job_id in attempts, 30)

    assert [attempt.how for attempt in attempts[job_id]][:1] == ["released"]


def test_a_drain_ends_while_the_ledger_is_away(world: World) -> None:
    """Whoever stops the worker kills it in the end; what it could not tell, the ledger finds when leases run out."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)
    world.ledger.is_away.set()
    done = threading.Event()

    world.worker.drain(done.set)

    assert done.wait(30)
    assert world.status(job_id) is Status.STARTED


def test_what_a_late_answer_wins_during_a_drain_goes_back_unrun(tmp_path: Path) -> None:
    """The bid was under way when the drain began, and the ledger answered it later."""
    world = World(tmp_path, slots=1, renew_interval_s=2.0)
    try:
        world.start()
        first = world.submit()
        held = world.engine.running(first)
        second = world.submit()
        world.ledger.is_away.set()
        held.over.set()
        assert world.ledger.tried.acquire(timeout=30)
        done = threading.Event()

        world.worker.drain(done.set)
        world.ledger.is_away.clear()

        assert done.wait(30)
        assert (world.status(first), world.status(second)) == (Status.COMPLETED, Status.QUEUED)
        assert [attempt.how for attempt in world.ledger.book.attempts[second]] == ["released"]
        assert second not in world.shown
    finally:
        world.close()


def test_with_all_notices_lost_and_half_of_the_requests_every_job_runs(tmp_path: Path) -> None:
    """Renewals alone find the work, of any size, and ask again for what nobody took up."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    world = World(tmp_path, slots=3, renew_interval_s=0.05)
    world.ledger.loses_notices = True
    world.swallows = lambda: chance.random() < 0.5
    try:
        world.start()
        jobs = [world.submit(shape=f"{chance.randrange(1, 4)}s") for _ in range(40)]
        waiting = set(jobs)
        while waiting:
            with world.engine.news:
                assert world.engine.news.wait_for(lambda: waiting & set(world.engine.started), 30), waiting
                began = sorted(waiting & set(world.engine.started))
            ending = chance.choice(began)
            waiting.discard(ending)
            world.engine.started[ending].over.set()
        for job_id in jobs:
            world.until(job_id, Status.COMPLETED)
    finally:
        world.close()

    assert {len(attempts) for attempts in world.ledger.book.attempts.values()} == {1}
