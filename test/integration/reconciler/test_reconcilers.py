"""Reconcilers as processes on a real Valkey: three side by side, one of them killed in mid-work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.server import Server
from hysds.core.floor_requests import Fit
from hysds.core.requests import Acceptance, Accepting, Bid
from hysds.core.status import Status
from hysds.lib.uuid7 import Uuid7Source
from services.redis import RedisServer

_CHILD = """
import os, signal, sys, threading, time
from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.roster_redis import RedisRoster
from hysds.adapters.ledger.server import Server
from hysds.dispatcher import Dispatcher
from hysds.reconciler.duties import Pace, Reconciler
from hysds.reconciler.unheard import Unheard
from hysds.reconciler.watch import Watch

url, prefix, victim = sys.argv[1:]

class Mortal(RedisLedger):
    steps = 0

    def _step(self, name, *arguments):
        answer = super()._step(name, *arguments)
        if name == victim and answer and answer[0]:
            self.steps += 1
            if self.steps == 1:
                print("begun", flush=True)
            if self.steps == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        return answer

server = Server(url)
ledger = Mortal(server, prefix, 60_000)
watch = Watch(ledger, RedisRoster(server, prefix), f"r/{os.getpid()}")
pace = Pace(interval_s=0.01, batch=20)
reconciler = Reconciler(ledger, Dispatcher(MemoryBell()), pace, Unheard(60, time.monotonic), watch, lambda: 0)
print("ready", flush=True)
sys.stdin.readline()
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
reconciler.run(stop)
"""
_JOBS = 300
_PATIENCE_S = 60


@dataclass
class _House:
    """A ledger on a server, with jobs in every state that a reconciler looks after."""

    url: str
    prefix: str

    def __post_init__(self) -> None:
        self.server = Server(self.url)
        self.ledger = RedisLedger(self.server, self.prefix, 60_000)
        self.events = RedisEvents(self.server, self.prefix)
        self._new_id = Uuid7Source()

    def submit(self, **fields: int) -> list[str]:
        spec = json.dumps({"job_type": "job:x", "payload": {}})
        ids = [self._new_id() for _ in range(_JOBS)]
        accepted = self.ledger.accept([Acceptance(id_, "d", spec, "gpu", "1s", **fields) for id_ in ids])
        assert {answer.how for answer in accepted.answers} == {Accepting.ACCEPTED}
        return ids

    def claim(self, count: int, lease_ms: int) -> None:
        for number in range(count):
            bid = Bid("w/1", ("gpu",), Fit(now=("1s",)), f"n{number}", lease_ms, 60_000)
            assert self.ledger.claim(bid).lease is not None

    def cancel_and_confirm(self, ids: list[str]) -> None:
        self.ledger.cancel(ids)
        kept = [one.record for one in self.ledger.kept(ids) if one is not None]
        at_once = RedisLedger(self.server, self.prefix, 0)
        at_once.confirm([(record.id, record.revision) for record in kept])

    def statuses(self, ids: list[str]) -> Counter[Status | None]:
        return Counter(one.record.status if one is not None else None for one in self.ledger.kept(ids))

    def steps(self) -> Counter[tuple[str, str]]:
        """How often each step happened to each job, by the event stream."""
        return Counter((entry.event.id, entry.event.step) for entry in self.events.follow("", 100_000, 0))


@pytest.fixture
def house(valkey_server: RedisServer, unique_name: str) -> Iterator[_House]:
    """On the session's Valkey."""
    house = _House(valkey_server.url, unique_name)
    yield house
    house.ledger.close()


@pytest.fixture
def three(house: _House) -> Iterator[Callable[[str], list[subprocess.Popen[str]]]]:
    """Start three reconcilers; the first kills itself right after its third step of a name that did something.

    It begins alone, so that it surely does something; the others join it in the middle.
    """
    with ExitStack() as stack:

        def start(victim: str) -> list[subprocess.Popen[str]]:
            processes = []
            for dies_at in (victim, "", ""):
                process = subprocess.Popen(
                    [sys.executable, "-c", _CHILD, house.url, house.prefix, dies_at],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )  # fmt: skip
                stack.callback(process.communicate)
                stack.callback(process.kill)
                processes.append(process)
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            return processes

        yield start


def _tell(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def _work(processes: list[subprocess.Popen[str]], holds: Callable[[], bool]) -> None:
    """Until they have done it, the first of them dead; then those that live are told to end, and end."""
    _tell(processes[:1])
    assert processes[0].stdout is not None
    assert processes[0].stdout.readline() == "begun\n"
    _tell(processes[1:])
    end = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "the duties were not done"
        assert [process.poll() for process in processes[1:]] == [None, None], (
            "a reconciler that was left ended"
        )
    processes[0].kill()
    assert processes[0].wait() == -signal.SIGKILL
    _tell(processes[1:])
    assert [process.wait() for process in processes[1:]] == [0, 0]


def test_due_jobs_wake_once_whoever_dies(
    house: _House, three: Callable[..., list[subprocess.Popen[str]]]
) -> None:
    """Three reconcilers, one killed -9 in mid-work: each job is ready, by one step of `wake` each."""
    ids = house.submit(wake_ms=house.ledger.now_ms() + 1_500)
    processes = three("wake")

    _work(processes, lambda: house.statuses(ids) == {Status.QUEUED: _JOBS})

    assert {count for (_, step), count in house.steps().items() if step == "wake"} == {1}
    assert house.ledger.queues()[0].ready == _JOBS


def test_lost_leases_come_back_once_whoever_dies(
    house: _House, three: Callable[..., list[subprocess.Popen[str]]]
) -> None:
    """Each lease that ran out is one `expire` and one attempt of its job, which then is ready once."""
    ids = house.submit()
    house.claim(_JOBS, lease_ms=1)
    processes = three("expire")

    _work(processes, lambda: house.statuses(ids) == {Status.QUEUED: _JOBS})

    assert {count for (_, step), count in house.steps().items() if step == "expire"} == {1}
    assert [len(one.attempts) for one in house.ledger.kept(ids) if one is not None] == [1] * _JOBS
    assert house.ledger.queues()[0].ready == _JOBS


def test_ended_jobs_are_forgotten_whoever_dies(
    house: _House, three: Callable[..., list[subprocess.Popen[str]]]
) -> None:
    """Nothing of a forgotten job is left behind, and the roster names those alone who did not leave."""
    ids = house.submit()
    house.cancel_and_confirm(ids)
    processes = three("forget")

    _work(processes, lambda: house.statuses(ids) == {None: _JOBS})

    left = house.server.send("KEYS", f"*{house.prefix}*")
    assert not [key for key in left if any(id_ in key for id_ in ids)]
    fields = house.server.send("HKEYS", f"{{{house.prefix}}}:roster")
    assert fields == [f"reconciler r/{processes[0].pid}"] or fields == []
