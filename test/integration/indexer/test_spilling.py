"""Indexers that spill and drain as processes between a real Valkey and real files: killed at each step of the way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.server import Server
from hysds.adapters.spill.files import FileSpill, Room
from hysds.adapters.store.sqlite import SqliteStore
from hysds.core.floor_requests import Fit
from hysds.core.query import JobQuery
from hysds.core.requests import Acceptance, Bid, Commit
from hysds.core.status import Status
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.indexer.relief import Bounds, Relief
from hysds.lib.uuid7 import Uuid7Source
from services.redis import RedisServer

_CHILD = """
import sys, threading, time
from pathlib import Path
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.server import Server
from hysds.adapters.spill.files import FileSpill, Room
from hysds.adapters.store.sqlite import SqliteStore
from hysds.core.errors import Unreachable
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.indexer.relief import Bounds, Relief
from hysds.lib.transport_retry import Persistence

url, prefix, home, member, hangs_at = sys.argv[1:]
home = Path(home)

def reached(moment):
    print(moment, flush=True)
    if moment == hangs_at:
        time.sleep(3600)

class Store(SqliteStore):
    def write(self, documents):
        if documents and (home / "away").exists():
            raise Unreachable("store", "away for the test")
        answers = super().write(documents)
        if documents:
            reached("written")
        return answers

class Spill(FileSpill):
    def append(self, portion):
        super().append(portion)
        reached("kept")

    def done(self):
        super().done()
        reached("dropped")

class Ledger(RedisLedger):
    def confirm(self, written):
        answers = super().confirm(written)
        reached("confirmed")
        return answers

server = Server(url)
ledger, events = Ledger(server, prefix, 60_000), RedisEvents(server, prefix)
spill = Spill(home / "spill", prefix, Room(10**9, 0, 1000))
pace = Pace(member, batch=50, patience_s=0.05, adopt_after_s=0.2, persistence=Persistence(1, 0, 0.02))
aids = Aids(relief=Relief(ledger, spill, Bounds(events=1)))
Indexer(events, ledger, Store(home / "jobs.db"), pace, aids=aids).run(threading.Event())
"""


@dataclass
class _House:
    """One ledger, one SQLite file and one spill directory."""

    url: str
    prefix: str
    home: Path

    def __post_init__(self) -> None:
        self.server = Server(self.url)
        self.ledger = RedisLedger(self.server, self.prefix, 60_000)
        self.events = RedisEvents(self.server, self.prefix)
        self.store = SqliteStore(self.home / "jobs.db")
        self.spill = FileSpill(self.home / "spill", self.prefix, Room(10**9, 0, 1_000))
        self._new_id = Uuid7Source()

    def close(self) -> None:
        self.spill.close()
        self.store.close()
        self.ledger.close()

    def indexer(self, member: str) -> Indexer:
        pace = Pace(member, batch=50, patience_s=0.05, adopt_after_s=0.2)
        aids = Aids(relief=Relief(self.ledger, self.spill, Bounds()))
        return Indexer(self.events, self.ledger, self.store, pace, aids=aids)

    def is_away(self, away: bool) -> None:
        """Whether the store of the processes answers."""
        if away:
            (self.home / "away").touch()
        else:
            (self.home / "away").unlink()

    def complete(self, count: int) -> list[str]:
        """Jobs that have come and ended."""
        spec = json.dumps({"job_type": "job:x", "payload": {}})
        ids = [self._new_id() for _ in range(count)]
        self.ledger.accept([Acceptance(id_, "d", spec, "gpu", "1s") for id_ in ids])
        for number in range(count):
            claimed = self.ledger.claim(
                Bid("w/1", ("gpu",), Fit(now=("1s",)), f"{ids[0]}{number}", 30_000, 60_000)
            )
            assert claimed.lease is not None
            record = claimed.lease.record
            self.ledger.commit(Commit(record.id, record.fence, Status.COMPLETED, detail='{"exit_code":0}'))
        return ids

    def forget(self, ids: list[str]) -> int:
        """The reconciler's duty, long before its time: how many confirmed jobs the ledger knows no more."""
        return len(self.ledger.forget(ids))

    def finish(self) -> None:
        """An indexer that comes after all others does what is left."""
        last = self.indexer("last")
        while self.events.backlog("indexer") or self.spill.held().documents:
            last.step()

    def assert_all_there(self, ids: list[str]) -> None:
        found = self.store.get(ids)
        assert [one and one["status"] for one in found] == ["job-completed"] * len(ids)
        assert self.store.search(JobQuery(limit=0)).total == len(ids)
        assert self.store.dead_letters(1) == ()


Start = Callable[[_House, str, str], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an indexer in a process of its own; it is killed at the end."""
    with ExitStack() as stack:

        def child(house: _House, member: str, hangs_at: str) -> subprocess.Popen[str]:
            arguments = [house.url, house.prefix, str(house.home), member, hangs_at]
            process = subprocess.Popen(
                [sys.executable, "-c", _CHILD, *arguments], stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        yield child


@pytest.fixture
def house(valkey_server: RedisServer, unique_name: str, tmp_path: Path) -> Iterator[_House]:
    """On the session's Valkey."""
    made = _House(valkey_server.url, unique_name, tmp_path)
    yield made
    made.close()


def _await(process: subprocess.Popen[str], moment: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == moment:
            return
    raise AssertionError(f"the indexer ended before it was {moment}")


@pytest.mark.parametrize("moment", ["kept", "confirmed"])
def test_an_indexer_killed_while_it_spills_loses_nothing(house: _House, start: Start, moment: str) -> None:
    """After the write to the disk, or after the confirmation: another one of this host does the rest, although the
    ledger has forgotten what was confirmed."""
    ids = house.complete(120)
    house.is_away(True)
    victim = start(house, "victim", moment)
    _await(victim, moment)
    victim.kill()
    victim.wait()
    forgotten = house.forget(ids)
    house.is_away(False)

    house.finish()

    assert (forgotten > 0) == (moment == "confirmed")
    house.assert_all_there(ids)


@pytest.mark.parametrize("moment", ["written", "dropped"])
def test_an_indexer_killed_while_it_drains_loses_nothing(house: _House, start: Start, moment: str) -> None:
    """After the write to the store, or after a portion was dropped: what was written comes once more, and stays."""
    ids = house.complete(120)
    house.is_away(True)
    spiller = start(house, "spiller", "never")
    while house.events.backlog("indexer"):
        assert spiller.poll() is None, "the indexer has ended"
    spiller.kill()
    spiller.wait()
    house.forget(ids)
    house.is_away(False)
    victim = start(house, "victim", moment)
    _await(victim, moment)
    victim.kill()
    victim.wait()

    house.finish()

    assert house.ledger.kept(ids) == (None,) * len(ids)
    house.assert_all_there(ids)


def test_indexers_that_are_killed_again_and_again_through_an_outage_lose_nothing(
    house: _House, start: Start
) -> None:
    """One after the other dies at each step of the way, and jobs end all the while."""
    ids: list[str] = []
    house.is_away(True)
    for round_, moment in enumerate(("kept", "confirmed", "kept", "confirmed")):
        victim = start(house, f"victim{round_}", moment)
        ids += house.complete(60)
        house.forget(ids)
        _await(victim, moment)
        victim.kill()
        victim.wait()
    house.is_away(False)
    for round_, moment in enumerate(("written", "dropped")):
        victim = start(house, f"drainer{round_}", moment)
        ids += house.complete(60)
        _await(victim, moment)
        victim.kill()
        victim.wait()

    house.finish()

    house.assert_all_there(ids)
