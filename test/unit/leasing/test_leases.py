"""The threads that keep leases live through whatever they meet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.errors import Internal, Unreachable
from hysds.core.floor_requests import Announcement, Drain, Fit
from hysds.core.requests import Renewal, Renewed
from hysds.leasing.claims import Bidding, Claims, Ends
from hysds.leasing.holdings import Holdings
from hysds.leasing.host import Host, HostSettings
from hysds.leasing.leases import Calls, LeaseKeeper, Terms, Watched

WORKER = "w@test/1"


class Moody(MemoryLedger):
    """Fails as it is told to, and counts."""

    def __init__(self) -> None:
        super().__init__(retention_ms=3_600_000)
        self.renewals: list[Exception] = []
        self.listens: list[Exception] = []
        self.renewed = threading.Semaphore(0)

    def renew(self, renewal: Renewal) -> Renewed:
        if self.renewals:
            raise self.renewals.pop()
        answer = super().renew(renewal)
        self.renewed.release()
        return answer

    def listen(self, worker: str, timeout_s: float) -> tuple[str, ...]:
        if self.listens:
            raise self.listens.pop()
        return super().listen(worker, timeout_s)

    def tell(self, notice: str) -> None:
        with self.changed:
            self.book.floor.inboxes[WORKER] = (*self.book.floor.inboxes.get(WORKER, ()), notice)
            self.changed.notify_all()


class Engine:
    """Remembers what it was told of the ledger."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.beats = 0

    def beat(self) -> None:
        self.beats += 1

    def isolated(self, since_boot_s: float) -> None:
        self.told.append("isolated")

    def connected(self) -> None:
        self.told.append("connected")


class Bench:
    """A keeper over a ledger with moods; `close` ends its threads."""

    def __init__(self, home: Path) -> None:
        self.ledger = Moody()
        self.engine = Engine()
        host = Host(HostSettings(1, None, 0, home))
        holdings = Holdings()
        claims = Claims(self.ledger, host, holdings, Bidding(WORKER, ("q",), 30_000, 60_000), Ends())
        terms = Terms(lease_s=30.0, renew_interval_s=0.02, announce_s=60.0, stop_grace_s=5.0)
        self.keeper = LeaseKeeper(
            WORKER,
            self.ledger,
            self.engine,  # type: ignore[arg-type]  # the parts that a keeper uses
            Watched(claims, holdings, host),
            terms,
        )
        self.woken = threading.Semaphore(0)
        self.orders: list[Drain | None] = []

    def start(self, work: Callable[[], None], tick: Callable[[], None] = lambda: None) -> None:
        self.keeper.start(
            lambda: Announcement("host", "w@test", ("q",), 1, Fit()), Calls(work, tick, self.orders.append)
        )

    def close(self) -> None:
        self.keeper.close()
        self.ledger.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    "error",
    [Unreachable("ledger", "away"), Internal("a wrong type"), ValueError("an answer of a later version")],
)
def test_a_renewal_that_fails_in_any_way_is_followed_by_the_next(bench: Bench, error: Exception) -> None:
    """And the engine learns since when nothing was renewed: jobs may not run on for ever under lost leases."""
    bench.ledger.renewals = [error] * 3
    bench.start(bench.woken.release)
    try:
        for _ in range(2):
            assert bench.ledger.renewed.acquire(timeout=30)
    finally:
        bench.close()

    assert bench.engine.told[:4] == ["isolated", "isolated", "isolated", "connected"]


def test_the_inbox_is_read_on_after_any_failure(bench: Bench) -> None:
    """A notice that can't be read, a list of the wrong type: the cancel behind it must not wait for a renewal."""
    bench.ledger.listens = [Internal("a wrong type"), Unreachable("ledger", "away")]
    bench.ledger.tell("cancel job-without-a-fence")
    bench.start(bench.woken.release)
    try:
        bench.ledger.tell("wake")
        assert bench.woken.acquire(timeout=30)
    finally:
        bench.close()


def test_a_renewal_goes_on_when_whoever_is_called_fails(bench: Bench) -> None:
    """The thread ended, and all leases of the worker with it."""

    def fail() -> None:
        raise RuntimeError("the pool was shut down")

    bench.start(fail, fail)
    try:
        for _ in range(3):
            assert bench.ledger.renewed.acquire(timeout=30)
    finally:
        bench.close()
