"""The ledgers that the contract suite runs over: memory, the embedded Valkey, Debian's Redis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from contract.ledger.sample import START_US
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.server import Server
from hysds.ports.events import Events
from hysds.ports.ledger import Ledger
from services.redis import RedisServer

RETENTION_MS = 60_000


@dataclass
class Clock:
    """The server's time, moved by hand."""

    now_us: int = START_US

    def __call__(self) -> int:
        return self.now_us

    def advance(self, ms: int) -> None:
        self.now_us += ms * 1_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "valkey", "redis"])
def parts(request: pytest.FixtureRequest, clock: Clock) -> Iterator[tuple[Ledger, Events]]:
    """A ledger of each kind, empty, on the clock of the test, and its events."""
    if request.param == "memory":
        memory = MemoryLedger(RETENTION_MS, clock)
        yield memory, MemoryEvents(memory)
        memory.close()
        return
    running: RedisServer = request.getfixturevalue(f"{request.param}_server")
    server = Server(running.unix_url)
    yield RedisLedger(server, "t", RETENTION_MS, clock), RedisEvents(server, "t")
    server.close()


@pytest.fixture
def ledger(parts: tuple[Ledger, Events]) -> Ledger:
    return parts[0]


@pytest.fixture
def events(parts: tuple[Ledger, Events]) -> Events:
    return parts[1]
