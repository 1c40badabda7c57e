"""Schedules fired by processes on a real Valkey: three side by side, one dying between the steps of a firing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.schedules_redis import RedisSchedules
from hysds.adapters.ledger.server import Server
from hysds.core import schedule as rules
from hysds.core.schedule import CatchUp
from hysds.core.spec import JobSpec, stored
from services.redis import RedisServer

_CHILD = """
import os, signal, sys
from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.schedules_redis import RedisSchedules
from hysds.adapters.ledger.server import Server
from hysds.core.acceptance import DedupPolicy
from hysds.core.job_types.catalog import EMPTY
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.schedules import Timetable
from hysds.orchestrator.submit import Orchestrator

url, prefix, dies_after = sys.argv[1:]
steps = []

def stepped(name):
    steps.append(name)
    if f"{len(steps)}" == dies_after:
        os.kill(os.getpid(), signal.SIGKILL)

class Shelf(RedisSchedules):
    def put(self, schedule, over):
        done = super().put(schedule, over)
        stepped("put")
        return done

class Ledger(RedisLedger):
    def accept(self, batch):
        done = super().accept(batch)
        stepped("accept")
        return done

server = Server(url)
ledger = Ledger(server, prefix, 3_600_000)
router = Router(lambda: EMPTY, Ground(DedupPolicy(frozenset(), 0), 300))
orchestrator = Orchestrator(ledger, Dispatcher(MemoryBell()), Planner(router), Uuid7Source())
timetable = Timetable(Shelf(server, prefix), orchestrator, Uuid7Source(), ledger.now_ms)
print("ready", flush=True)
sys.stdin.readline()
while timetable.fire_due():
    pass
"""
_SCHEDULES, _TICKS, _MINUTE_MS = 10, 8, 60_000


@dataclass
class _House:
    """Ten schedules on a server, each with eight ticks that nobody fired."""

    url: str
    prefix: str

    def __post_init__(self) -> None:
        self.server = Server(self.url)
        self.ledger = RedisLedger(self.server, self.prefix, 3_600_000)
        shelf = RedisSchedules(self.server, self.prefix)
        now_ms = self.ledger.now_ms()  # one for all, so that their ticks are the same
        spec = stored(JobSpec("job:report", {"_command": "make"}))
        for number in range(_SCHEDULES):
            made = rules.made(f"s{number}", ("* * * * *", "UTC"), spec, CatchUp.ALL, now_ms)
            behind = replace(made, next_ms=made.next_ms - _TICKS * _MINUTE_MS)
            assert shelf.put(behind, None)
        self._until_s = made.next_ms / 1000

    def ticks(self) -> Counter[tuple[str, float]]:
        """How many jobs there are for each of those ticks; a minute that begins during the test has one, too."""
        entries = RedisEvents(self.server, self.prefix).follow("", 10_000, 0)
        kept = self.ledger.kept([entry.event.id for entry in entries])
        ticks = [json.loads(one.spec)["tick"] for one in kept if one is not None]
        return Counter((tick["schedule"], tick["time"]) for tick in ticks if tick["time"] < self._until_s)


@pytest.fixture
def house(valkey_server: RedisServer, unique_name: str) -> Iterator[_House]:
    """On the session's Valkey."""
    house = _House(valkey_server.url, unique_name)
    yield house
    house.ledger.close()


def _children(stack: ExitStack, house: _House, fates: list[str]) -> list[subprocess.Popen[str]]:
    found = []
    for fate in fates:
        command = [sys.executable, "-c", _CHILD, house.url, house.prefix, fate]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        found.append(stack.enter_context(child))
        stack.callback(child.kill)
    for child in found:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    return found


@pytest.mark.parametrize("dies_after", ["", "1", "2", "3", "4", "5", "6"])
def test_each_tick_is_one_job_whoever_dies_wherever(house: _House, dies_after: str) -> None:
    """Three look at the same schedules at once; one is killed after its n-th step: noted, accepted, cleared, …"""
    with ExitStack() as stack:
        children = _children(stack, house, [dies_after, "", ""])
        for child in children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        codes = [child.wait() for child in children]
        assert codes[1:] == [0, 0]
        assert codes[0] == (-signal.SIGKILL if dies_after else 0)
        # What the dead one left is the next one's.
        [last] = _children(stack, house, [""])
        last.communicate("\n")
        assert last.returncode == 0

    ticks = house.ticks()
    assert len(ticks) == _SCHEDULES * _TICKS
    assert set(ticks.values()) == {1}
