"""Indexers as processes between a real Valkey and a real SQLite file: killed, side by side, with the server gone."""

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
from hysds.adapters.store.sqlite import SqliteStore
from hysds.core.errors import Unreachable
from hysds.core.floor_requests import Fit
from hysds.core.query import JobQuery
from hysds.core.requests import Acceptance, Bid, Commit
from hysds.core.searched import Term
from hysds.core.status import Status
from hysds.indexer.indexer import Indexer, Pace
from hysds.lib.uuid7 import Uuid7Source
from services.redis import Appendfsync, RedisOptions, RedisServer

_CHILD = """
import sys
from pathlib import Path
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.server import Server
from hysds.adapters.store.sqlite import SqliteStore
from hysds.indexer.indexer import Indexer, Pace

url, prefix, path, member, hangs = sys.argv[1:]

class Telling(SqliteStore):
    def write(self, documents):
        answers = super().write(documents)
        print(len(answers), flush=True)
        if hangs == "hangs":
            sys.stdin.read()
        return answers

server = Server(url)
events = RedisEvents(server, prefix)
ledger = RedisLedger(server, prefix, 60_000)
pace = Pace(member, batch=100, interval_s=0.01, patience_s=0.1, adopt_after_s=0.2)
indexer = Indexer(events, ledger, Telling(Path(path)), pace)
while True:
    indexer.step()
    print("left", events.backlog("indexer"), flush=True)
"""


@dataclass
class _House:
    """A ledger on a server, a store in a file, and what reads and writes them here."""

    url: str
    prefix: str
    path: Path

    def __post_init__(self) -> None:
        self.server = Server(self.url)
        self.ledger = RedisLedger(self.server, self.prefix, 60_000)
        self.events = RedisEvents(self.server, self.prefix)
        self.store = SqliteStore(self.path)
        self._new_id = Uuid7Source()

    def indexer(self, member: str) -> Indexer:
        pace = Pace(member, batch=100, patience_s=0.05, adopt_after_s=0.2)
        return Indexer(self.events, self.ledger, self.store, pace)

    def submit(self, count: int) -> list[str]:
        spec = json.dumps({"job_type": "job:x", "payload": {}})
        ids = [self._new_id() for _ in range(count)]
        self.ledger.accept([Acceptance(id_, "d", spec, "gpu", "1s") for id_ in ids])
        return ids

    def complete(self, count: int) -> None:
        """Run the best jobs."""
        for number in range(count):
            claimed = self.ledger.claim(Bid("w/1", ("gpu",), Fit(now=("1s",)), f"n{number}", 30_000, 60_000))
            assert claimed.lease is not None
            record = claimed.lease.record
            self.ledger.commit(Commit(record.id, record.fence, Status.COMPLETED, detail='{"exit_code":0}'))

    def assert_all_indexed(self, ids: list[str]) -> None:
        """Each job's document is of the ledger's revision, and each ended one is confirmed."""
        kept = [one.record for one in self.ledger.kept(ids) if one is not None]
        documents = self.store.get(ids)
        assert [document and document["revision"] for document in documents] == [
            record.revision for record in kept
        ]
        assert {record.confirmed for record in kept if record.status.is_terminal} <= {True}
        assert self.events.backlog("indexer") == 0
        assert self.store.dead_letters(1) == ()


@pytest.fixture
def child() -> Iterator[Callable[[_House, str, str], subprocess.Popen[str]]]:
    """Start an indexer in a process of its own; it is killed at the end."""
    with ExitStack() as stack:

        def start(house: _House, member: str, hangs: str) -> subprocess.Popen[str]:
            arguments = [house.url, house.prefix, str(house.path), member, hangs]
            process = subprocess.Popen(
                [sys.executable, "-c", _CHILD, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def house(valkey_server: RedisServer, unique_name: str, tmp_path: Path) -> Iterator[_House]:
    """On the session's Valkey."""
    house = _House(valkey_server.url, unique_name, tmp_path / "jobs.db")
    yield house
    house.store.close()
    house.ledger.close()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    return iter(process.stdout.readline, "")


def test_an_indexer_killed_between_writing_and_acknowledging_loses_nothing(
    house: _House, child: Callable[[_House, str, str], subprocess.Popen[str]]
) -> None:
    """kill -9 where it hurts most: another adopts what it held, and each document is there in its last revision."""
    ids = house.submit(350)
    victim = child(house, "victim", "hangs")
    assert next(_lines(victim)).split() == ["100"]
    victim.kill()
    victim.wait()
    house.complete(120)

    survivor = house.indexer("survivor")
    while house.events.backlog("indexer"):
        survivor.step()

    house.assert_all_indexed(ids)
    counts = dict(house.store.search(JobQuery(limit=0, facets=(Term.STATUS,))).counts[Term.STATUS])
    assert counts == {"job-queued": 230, "job-completed": 120}


def test_two_indexers_side_by_side_one_of_them_killed_lose_nothing(
    house: _House, child: Callable[[_House, str, str], subprocess.Popen[str]]
) -> None:
    """They share one stream and one file while jobs go on; the one that is left finishes."""
    ids = house.submit(600)
    first, second = child(house, "first", ""), child(house, "second", "")
    next(_lines(first))
    next(_lines(second))
    house.complete(100)
    first.kill()
    first.wait()
    ids += house.submit(100)

    lines = _lines(second)
    while house.events.backlog("indexer"):
        assert next(lines, None) is not None, "the indexer that was left has ended"

    house.assert_all_indexed(ids)
    assert house.store.search(JobQuery(limit=0)).total == 700


def test_three_indexers_side_by_side_one_killed_in_mid_batch_lose_nothing(
    house: _House, child: Callable[[_House, str, str], subprocess.Popen[str]]
) -> None:
    """The victim has written a part of what it was given and acknowledged nothing: two others finish."""
    ids = house.submit(900)
    victim = child(house, "victim", "hangs")
    assert next(_lines(victim)).split() == ["100"]
    others = [child(house, name, "") for name in ("second", "third")]
    victim.kill()
    victim.wait()
    house.complete(300)

    lines = [_lines(other) for other in others]
    while house.events.backlog("indexer"):
        assert [next(one, None) is None for one in lines] == [False, False], (
            "an indexer that was left has ended"
        )

    house.assert_all_indexed(ids)
    assert house.store.search(JobQuery(limit=0)).total == 900


def test_a_server_that_dies_and_returns_loses_nothing(
    start_valkey: Callable[[RedisOptions], RedisServer], unique_name: str, tmp_path: Path
) -> None:
    """While it is away a round says so; afterwards everything that was accepted is indexed."""
    server = start_valkey(RedisOptions(appendfsync=Appendfsync.ALWAYS))
    house = _House(server.url, unique_name, tmp_path / "jobs.db")
    ids = house.submit(250)
    indexer = house.indexer("one")
    assert indexer.step().entries == 100
    server.kill()

    with pytest.raises(Unreachable):
        indexer.step()
    server.start()
    while house.events.backlog("indexer"):
        indexer.step()

    house.assert_all_indexed(ids)
    house.store.close()
    house.ledger.close()


def test_the_stream_does_not_grow_behind_the_indexers(house: _House) -> None:
    """What is done is trimmed away: the stream of a healthy system is short."""
    house.submit(150)
    indexer = house.indexer("one")
    while house.events.backlog("indexer"):
        indexer.step()

    house.events.trim()

    assert house.events.follow("", 1_000, 0) == ()
