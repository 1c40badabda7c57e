"""`hysds doctor` as a process: against a system that works, one that hangs, and one whose worker died."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.ledger.roster_redis import RedisRoster
from hysds.adapters.ledger.server import Server
from hysds.core import ghosts
from hysds.core.floor_requests import Announcement, Fit
from hysds.core.requests import Renewal
from services import required
from services.redis import Appendfsync, RedisOptions, RedisServer
from worlds.system import RunningSystem

# A worker that dies with its place on the host held, and with no guardian that could tell of it, as in a host's crash.
_DIES = """
import os, signal
from hysds.bootstrap import System
System.read().job_worker("w1@here", ("gpu",), 1)
os.kill(os.getpid(), signal.SIGKILL)
"""


class House:
    """A system of which nothing runs, and the command."""

    def __init__(self, system: RunningSystem) -> None:
        self.system = system

    def doctor(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hysds", "doctor", *options],
            env=os.environ | self.system.variables,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def found(self, code: int) -> dict[str, dict[str, Any]]:
        """The findings by their codes; `code` is the exit code that is expected."""
        ended = self.doctor("--json")
        assert ended.returncode == code, ended.stdout + ended.stderr
        assert ended.stderr == ""
        return {one["code"]: one for one in map(json.loads, ended.stdout.splitlines())}

    def announce(self, incarnation: str) -> None:
        """As a worker does at each renewal."""
        said = Announcement("here", "w1@here", ("gpu",), 1, Fit())
        self.system.system.ledger.renew(Renewal(incarnation, said, (), (), 30_000, 60_000))


@pytest.fixture
def server(start_valkey: Callable[[RedisOptions], RedisServer]) -> RedisServer:
    """One that could stand."""
    return start_valkey(RedisOptions(Appendfsync.ALWAYS, maxmemory_bytes=200_000_000))


@pytest.fixture
def house(server: RedisServer, tmp_path: Path) -> Iterator[House]:
    """Its roles are started by the test."""
    system = RunningSystem(tmp_path, server.url, server.url.replace("/0", "/1"))
    yield House(system)
    system.close()


def test_a_system_without_roles_lacks_them_and_one_with_them_lacks_nothing(house: House) -> None:
    """Exit 1 with what is not done and how to mend it; 0 once both roles have signed."""
    found = house.found(1)
    assert {code for code, one in found.items() if one["severity"] in ("warning", "error")} == {
        "roles.reconciler",
        "roles.indexer",
    }
    assert "hysds reconciler" in found["roles.reconciler"]["mend"]

    for role in ("reconciler", "indexer"):
        house.system.start(role, "-m", "hysds", role)
    house.system.worker("w1", "default")
    roster, ledger = house.system.system.roster, house.system.system.ledger
    house.system.until(
        lambda: len(roster.signatures()) == 2 and len(ledger.workers()) == 1, lambda: house.system.log("w1")
    )

    found = house.found(0)
    assert found["roles.reconciler"]["severity"] == "ok"
    assert found["workers.standing"]["what"] == "1 worker, 0 jobs running"
    assert {one["severity"] for one in found.values()} <= {"ok", "note"}
    ended = house.doctor()
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == "nothing has to be done"


def test_jobs_of_a_lost_ledger_are_told_as_a_note(house: House) -> None:
    """As the indexer ends them; the store that is not there yet is not made by looking."""
    assert "store.ghosts" not in house.found(1)
    assert not house.system.system.settings.store_path.exists()
    live = {"id": "a", "revision": 1, "status": "job-started", "job": {}}
    house.system.system.store.write([ghosts.ended(live, house.system.system.ledger.now_ms())])

    found = house.found(1)["store.ghosts"]

    assert (found["severity"], found["part"]) == ("note", "store")
    assert found["what"].startswith("1 job of a ledger that was lost")


def test_a_server_that_hangs_costs_its_parts_and_no_traceback(house: House, server: RedisServer) -> None:
    """Stopped, it takes connections and answers nothing: exit 4, and what needs no server is told in full."""
    server.send(signal.SIGSTOP)
    found = house.found(4)

    assert found["ledger.unreachable"]["severity"] == "error"
    assert found["broker.unreachable"]["severity"] == "error"
    assert {"workers.unseen", "roles.unseen", "leftovers.unseen"} <= set(found)
    assert found["limits.nofile"]["severity"] == "ok"
    server.send(signal.SIGCONT)


def test_settings_that_can_not_be_used_are_findings(house: House) -> None:
    """All of them, and no traceback: nothing else could be looked at."""
    house.system.variables |= {"HYSDS_LEDGER_LEASE": "soon", "HYSDS_WORKER_SLOTS": "0"}
    ended = house.doctor("--json")
    found = [json.loads(line) for line in ended.stdout.splitlines()]

    assert ended.returncode == 1
    assert [one["code"] for one in found] == ["settings.unusable", "settings.unusable", "versions.here"]
    assert "HYSDS_LEDGER_LEASE" in found[0]["what"]


def test_a_worker_on_a_host_whose_clock_is_off_is_found(house: House) -> None:
    """A real one, an hour ahead by libfaketime; it works all the same."""
    [library, *_] = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None]
    if library is None:
        required.missing("libfaketime", "libfaketime")
    ahead = {"LD_PRELOAD": str(library), "FAKETIME": "+3600", "DONT_FAKE_MONOTONIC": "1"}
    house.system.variables |= ahead
    house.system.worker("w1", "default")
    for name in ahead:
        del house.system.variables[name]
    ledger = house.system.system.ledger
    house.system.until(lambda: len(ledger.workers()) == 1, lambda: house.system.log("w1"))

    found = house.found(1)["workers.clock"]
    assert found["where"] == "w1@here"
    assert "s ahead of the ledger's" in found["what"]


def test_two_workers_of_one_name_are_told(house: House) -> None:
    """Leases belong to incarnations, orders to names."""
    house.announce("w1@here/1")
    house.announce("w1@here/2")

    assert house.found(1)["workers.doubled"]["where"] == "w1@here"


def test_repair_clears_what_a_dead_worker_left_and_says_so(house: House) -> None:
    """Found first, mended then, and gone after it; a second repair has nothing to do."""
    killed = subprocess.run(
        [sys.executable, "-c", _DIES], env=os.environ | house.system.variables, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    [incarnation] = [
        one["where"] for one in map(json.loads, house.doctor("--json").stdout.splitlines())
        if one["code"] == "leftovers.worker"
    ]  # fmt: skip

    mended = house.doctor("--repair")

    assert mended.returncode == 0, mended.stderr
    assert f"worker {incarnation}: dead;" in mended.stdout
    assert house.found(1)["leftovers.none"]["severity"] == "ok"
    assert house.doctor("--repair").stdout == "nothing to mend\n"


def test_a_folder_that_proves_nothing_is_named_and_left_alone(house: House) -> None:
    """Its lock was cleaned away: whether that worker lives nobody can tell, so nobody ends or clears anything."""
    folder = house.system.home / "work" / ".workers" / "w%40host%2F0123abcd"
    folder.mkdir(parents=True)

    found = house.found(1)["leftovers.unjudged"]

    assert (found["severity"], found["where"]) == ("warning", str(folder))
    assert "no lock file" in found["what"]
    house.doctor("--repair")
    assert folder.exists()


def test_repair_mends_lists_strikes_the_dead_and_drops_bells(house: House, server: RedisServer) -> None:
    """Each is told in a line of its own."""
    raw = Server(server.url)
    raw.send("ZADD", "{hysds}:lease", "99999999999", "j1")
    an_hour_ago = int(raw.send("TIME")[0]) * 1000 - 3_600_000
    raw.send("HSET", "{hysds}:roster", "indexer i/1", f"{an_hour_ago} 0")
    job = house.system.submit("gpu", "true")
    house.system.system.bell.ring("gpu", 150)

    lines = house.doctor("--repair").stdout.splitlines()

    assert [line for line in lines if line.startswith("job j1: ") and line.endswith("; mended")]
    assert [line for line in lines if line.startswith("indexer i/1: not seen for 36")]
    assert [line for line in lines if line.startswith("queue gpu: 15") and "dropped" in line]
    assert "queue gpu: 1 ready job and no worker hears it; rung" in lines
    assert raw.send("ZSCORE", "{hysds}:lease", "j1") is None
    assert RedisRoster(raw, "hysds").signatures() == ()
    assert house.system.client.job(job)["status"] == "job-queued"
    raw.close()
