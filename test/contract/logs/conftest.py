"""The live logs that the contract suite runs over, each with a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from hysds.adapters.ledger.logs_memory import MemoryLogs
from hysds.adapters.ledger.logs_redis import RedisLogs
from hysds.adapters.ledger.server import Server
from hysds.ports.logs import Logs
from hysds.settings import model


@dataclass
class Clock:
    """Stands until it is moved."""

    now_ms: int = 1_800_000_000_000

    def move(self, by_s: float) -> None:
        self.now_ms += round(by_s * 1000)


@pytest.fixture
def clock() -> Clock:
    """The one clock of a test."""
    return Clock()


@pytest.fixture(params=["memory", "valkey", "redis"])
def make_logs(
    request: pytest.FixtureRequest, unique_name: str, clock: Clock
) -> Iterator[Callable[[model.Logs], Logs]]:
    """Makes live logs of one kind with the bounds that a test wants."""
    if request.param == "memory":
        yield lambda bounds: MemoryLogs(bounds, lambda: clock.now_ms / 1000)
        return
    server = Server(request.getfixturevalue(f"{request.param}_server").url)
    yield lambda bounds: RedisLogs(server, unique_name, bounds, lambda: clock.now_ms)
    server.close()


@pytest.fixture
def logs(make_logs: Callable[[model.Logs], Logs]) -> Logs:
    """Live logs with the bounds that HySDS has by default."""
    return make_logs(model.Logs())
