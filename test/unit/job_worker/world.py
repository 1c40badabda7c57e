"""A job worker over a ledger in memory whose workloads a test holds in its hands. No Celery, no process."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

from hysds.adapters.ledger.logs_memory import MemoryLogs
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.errors import Internal, Unreachable
from hysds.core.floor_requests import WorkerState
from hysds.core.requests import Acceptance, Bid, Claimed, Commit, Committed, Moved
from hysds.core.spec import JobSpec, identity, stored
from hysds.core.status import Status
from hysds.job_worker import assembly
from hysds.leasing.presence import Identity
from hysds.leasing.worker import LeaseWorker
from hysds.lib.process.ending import Ending, Moment, Reason, Usage
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.engines import Workload
from hysds.settings.model import Settings
from hysds.settings.servers import Ledger as LedgerSettings
from hysds.settings.worker import Worker

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
        self.clock_fails = 0
        self.before_answer: Callable[[], None] = lambda: None
        """Called when a bid was granted and its answer is on the way."""

    def listen(self, worker: str, timeout_s: float) -> tuple[str, ...]:
        notices = super().listen(worker, timeout_s)
        return () if self.loses_notices else notices

    def claim(self, bid: Bid) -> Claimed:
        self._reach()
        claimed = super().claim(bid)
        if claimed.lease is not None:
            self.before_answer()
        return claimed

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

    def now_ms(self) -> int:
        if self.clock_fails:
            self.clock_fails -= 1
            raise Unreachable("ledger", "away")
        return super().now_ms()

    def _reach(self) -> None:
        if self.is_away.is_set():
            self.tried.release()
            raise Unreachable("ledger", "away")


class World:
    """A worker, its ledger, and threads that carry out what it asks Celery for."""

    def __init__(
        self, home: Path, slots: int = 2, renew_interval_s: float = 0.05, drain_timeout_s: float = 0.0
    ) -> None:
        self.home = home
        self.ledger = Moody()
        self.engine = HeldEngine()
        self.lost_calls = 0
        self.swallows: Callable[[], bool] = lambda: False
        self.asked = threading.Semaphore(0)
        settings = Settings(
            home=home,
            ledger=LedgerSettings(renew_interval_s=renew_interval_s),
            worker=Worker(slots=slots, drain_timeout_s=drain_timeout_s, stop_grace_s=0.2),
        )
        identity_ = Identity("w@test/1", "w@test", "test", ("q",), slots, "{}")
        logs = MemoryLogs(settings.logs)
        self.worker: LeaseWorker = assembly.job_worker(
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

    def announced(self, holds: Callable[[WorkerState], bool]) -> WorkerState:
        """What the worker says of itself, once that holds of it."""

        def state() -> WorkerState | None:
            return next((state for state in self.ledger.workers() if holds(state)), None)

        with self.ledger.changed:
            assert self.ledger.changed.wait_for(lambda: state() is not None, 30), self.ledger.workers()
            found = state()
        assert found is not None
        return found

    def until(self, job_id: str, status: Status) -> None:
        with self.ledger.changed:
            assert self.ledger.changed.wait_for(lambda: self.ledger.book.records[job_id].status is status, 30)
