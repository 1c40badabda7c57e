"""Rules carried out by processes on a real Valkey: killed between submission and acknowledgement, and side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from hysds.bootstrap import System
from hysds.core.floor_requests import Fit
from hysds.core.requests import Bid, Commit
from hysds.core.status import Status
from hysds.sdk.client import Client
from hysds.settings import load
from hysds.wiring.real import RealAdapters
from services.redis import RedisServer

_CHILD = """
import sys
from hysds.bootstrap import System
from hysds.orchestrator.submit import Orchestrator

where = sys.argv[1]

def hang(what):
    print(what, flush=True)
    sys.stdin.read()

if where == "submitted":
    submit = Orchestrator.submit
    def hanging(self, *arguments, **named):
        answer = submit(self, *arguments, **named)
        hang("submitted")
        return answer
    Orchestrator.submit = hanging
system = System.read()
if where == "told":
    tell = system.journal.tell
    def telling(happenings):
        tell(happenings)
        hang("told")
    system.journal.tell = telling
runner = system.carrying_out_rules(patience_s=0.05)
print("ready", flush=True)
while True:
    runner.step()
    if not system.behind_of_rules():
        print("done", flush=True)
"""
_JOBS = 40


class House:
    """A ledger on a server, and rules in it; jobs end by hand, so that each ends when the test says."""

    def __init__(self, home: Path, server: RedisServer) -> None:
        self.variables = {
            "HYSDS_HOME": str(home),
            "HYSDS_CONFIG": "",
            "HYSDS_LEDGER_URL": server.unix_url,
            "HYSDS_BROKER_URL": server.unix_url,
        }
        loaded = load.load(environ=self.variables, directory=home)
        self.system = System(loaded.settings, RealAdapters(loaded.handed_on()))
        self.client = Client(self.system)

    def end(self, count: int) -> list[str]:
        """So many jobs that failed; their ids."""
        spec = {
            "job_type": "job:x",
            "job_queue": "q",
            "enable_dedup": False,
            "payload": {"_command": "false"},
        }
        ids = [self.client.submit(spec).id for _ in range(count)]
        for number in range(count):
            bid = Bid("w", ("q",), Fit(("1s",)), f"{ids[0]}-{number}", 600_000, 60_000)
            lease = self.system.ledger.claim(bid).lease
            assert lease is not None
            record = lease.record
            self.system.ledger.commit(Commit(record.id, record.fence, Status.FAILED, reason="user"))
        return ids

    def start(self, where: str) -> subprocess.Popen[str]:
        """Another process that carries out rules; it hangs where it is told to, and says so."""
        return subprocess.Popen(
            [sys.executable, "-c", _CHILD, where],
            env=os.environ | self.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def caused(self) -> dict[str, list[str]]:
        """By the job that it comes of, the ids of what rules caused, as the ledger knows them."""
        found: dict[str, list[str]] = {}
        for entry in self.system.events.follow("", 10_000, 0):
            kept = self.system.ledger.kept([entry.event.id])[0]
            cause = json.loads(kept.spec).get("cause") if kept else None
            if cause and entry.event.step == "accept":
                found.setdefault(cause["of"], []).append(entry.event.id)
        return found

    def told(self) -> list[dict[str, Any]]:
        """What rules told."""
        notes = self.system.journal.follow("", 10_000, 0)
        return [dict(one.happening.event) for one in notes if one.happening.type == "rule-fired"]


@pytest.fixture
def house(tmp_path: Path, valkey_server: RedisServer) -> Iterator[House]:
    """With one rule, which fires on every failure that nobody caused."""
    found = House(tmp_path, valkey_server)
    with closing(found.system):
        found.client.rules.add(
            {
                "name": "r",
                "when": {"term": {"status": "job-failed"}},
                "then": "job:made",
                "params": {"_command": "true", "of": {"from": "id"}},
                "queue": "made",
            }
        )
        yield found


def _await(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert any(line.strip() == word for line in process.stdout), "it ended"


@pytest.mark.parametrize("where", ["submitted", "told"])
def test_a_firing_that_was_killed_is_finished_by_another_once(house: House, where: str) -> None:
    """kill -9 after the submission, or after the telling, and before the acknowledgement."""
    with ExitStack() as stack:
        first = stack.enter_context(house.start(where))
        stack.callback(first.kill)
        _await(first, "ready")
        ids = house.end(3)
        _await(first, where)
        first.kill()
        first.wait()

        assert house.system.behind_of_rules() > 0
        runner = house.system.carrying_out_rules(patience_s=0.0)
        entries = house.system.events.adopt("rules", "second", 0, 1_000)
        assert entries
        house.system.events.adopt("rules", runner.member, 0, 1_000)
        runner.follow()

    caused = house.caused()
    assert {of: len(made) for of, made in caused.items()} == dict.fromkeys(ids, 1)
    assert {one["caused_by"] for one in house.told()} == set(ids)
    assert house.system.behind_of_rules() == 0


def test_orchestrators_side_by_side_fire_each_rule_once(house: House) -> None:
    """They share the events; what both get, as one is slow, is one job all the same."""
    with ExitStack() as stack:
        processes = [stack.enter_context(house.start("")) for _ in range(2)]
        for process in processes:
            stack.callback(process.kill)
        for process in processes:
            _await(process, "ready")
        ids = house.end(_JOBS)
        house.system.events.read("rules", "slow", 10, 0, begins=False)
        taken = house.system.events.adopt("rules", "greedy", 0, 1_000)
        runner = house.system.carrying_out_rules(patience_s=0.0)
        house.system.events.adopt("rules", runner.member, 0, 1_000)
        runner.follow()
        assert isinstance(taken, tuple)
        for process in processes:
            _await(process, "done")

    caused = house.caused()
    assert {of: len(made) for of, made in caused.items()} == dict.fromkeys(ids, 1)
    assert house.system.behind_of_rules() == 0
