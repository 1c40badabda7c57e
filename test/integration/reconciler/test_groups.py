"""Submitters of large groups that are killed between the steps of it, on a real Valkey: all of a group or nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.roster_redis import RedisRoster
from hysds.adapters.ledger.server import Server
from hysds.core import ids
from hysds.core.ids import JobId
from hysds.core.kin import STAGING_MS
from hysds.core.ledger_clock import CLOCK_CAP_MS
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.reconciler.duties import Pace, Reconciler
from hysds.reconciler.unheard import Unheard
from hysds.reconciler.watch import Watch
from services.redis import RedisServer

_CHILD = """
import os, signal, sys
from hysds.adapters.bell.memory import MemoryBell
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.server import Server
from hysds.core.acceptance import DedupPolicy
from hysds.core.job_types.catalog import EMPTY
from hysds.core.ids import JobId
from hysds.core.spec import JobSpec
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.submit import Orchestrator

url, prefix, id_, members, dies_after = sys.argv[1:]

class Mortal(RedisLedger):
    steps = 0

    def _step(self, name, *arguments):
        answer = super()._step(name, *arguments)
        self.steps += 1
        if self.steps == int(dies_after):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

ledger = Mortal(Server(url), prefix, 3_600_000)
router = Router(lambda: EMPTY, Ground(DedupPolicy(frozenset(), 0), 300))
orchestrator = Orchestrator(ledger, Dispatcher(MemoryBell()), Planner(router), Uuid7Source())
specs = [JobSpec("job:q", {"_command": f"echo {number}"}) for number in range(int(members))]
orchestrator.submit_group(JobSpec("job:fan", {}), specs, JobId(id_))
"""
_MEMBERS = 1_200
_ID = JobId("00000000-0000-4000-8000-000000000001")
_STEPS = {
    "accepted": 1,
    "staged in part": 2,
    "staged whole": 4,
    "sealed": 5,
    "let in in part": 6,
    "let in": 8,
}
_SEALED = 5


@pytest.mark.parametrize("step", _STEPS)
def test_a_killed_submitter_leaves_all_of_a_group_or_nothing(
    step: str, valkey_server: RedisServer, unique_name: str
) -> None:
    """Whatever was sealed the reconciler sees in, each member once; of all else nothing ever was but the group."""
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, valkey_server.url, unique_name, _ID, str(_MEMBERS), str(_STEPS[step])],
        timeout=60,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    server = Server(valkey_server.url)
    clock_us = [time.time_ns() // 1_000]
    ledger = RedisLedger(server, unique_name, 3_600_000, lambda: clock_us[0])
    events = RedisEvents(server, unique_name)
    watch = Watch(ledger, RedisRoster(server, unique_name), "r1", lambda: clock_us[0] // 1_000)
    dispatcher = Dispatcher(MemoryBell())
    reconciler = Reconciler(ledger, dispatcher, Pace(), Unheard(60, time.monotonic), watch, lambda: 0)

    for _ in range(-(-STAGING_MS // CLOCK_CAP_MS) + 1):
        clock_us[0] += CLOCK_CAP_MS * 1_000
        reconciler.round()

    members = [ids.child(_ID, place) for place in range(_MEMBERS)]
    statuses = Counter(kept.record.status if kept else None for kept in ledger.kept(members))
    told = Counter(entry.event.id for entry in events.follow("", 10_000, 0) if entry.event.step == "accept")
    [group] = ledger.kept([_ID])
    assert group is not None
    if _STEPS[step] >= _SEALED:
        assert statuses == {Status.QUEUED: _MEMBERS}
        assert told == Counter([_ID, *members])
        assert group.record.reason == "members"
    else:
        assert statuses == {None: _MEMBERS}
        assert told == {_ID: 1}
        assert (group.record.status, group.record.reason) == (Status.REVOKED, "aborted")
    server.close()
