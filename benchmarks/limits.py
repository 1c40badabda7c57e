"""How soon a job starts that waits for a place, once the place is free."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from itertools import pairwise

from benchmarks import system
from benchmarks.processes import directory
from benchmarks.row import Samples
from benchmarks.server import server
from hysds.bootstrap import System
from hysds.core.policies import Share
from hysds.core.record import Record
from hysds.sdk.client import Client
from hysds.settings.model import Settings

_JOBS = 100
_KEY = "one at a time"
_QUEUES = (system.QUEUE, "other")
_WITHIN_S = 60.0


def place() -> Samples:
    """Seconds from a free place to the next job's start on another worker; the floor: from a job's accept to its start.

    By the ledger's stamps, to the millisecond. Each place is freed on one worker for a job that another alone hears.
    """
    with directory() as home, server(home), system.duties(home):
        limited = System(Settings(home=home, keys={_KEY: Share(max_running=1)}))
        with (
            system.worker(home, "first", 1, _QUEUES[0]),
            system.worker(home, "second", 1, _QUEUES[1]),
            Client(limited) as client,
        ):
            for queue in _QUEUES:
                client.wait(client.submit({**system.spec("/bin/true"), "job_queue": queue}).id, _WITHIN_S)
            alone = [_ran(client, limited, ({},))[0] for _ in range(_JOBS // 4)]
            turns = zip(itertools.cycle(_QUEUES), range(_JOBS), strict=False)
            taken = _ran(
                client, limited, [{"job_queue": queue, "concurrency_key": _KEY} for queue, _ in turns]
            )
            taken.sort(key=lambda record: record.started_ms)
            ours = [(after.started_ms - before.ended_ms) / 1000 for before, after in pairwise(taken)]
            return Samples(tuple(ours), tuple((one.started_ms - one.accepted_ms) / 1000 for one in alone))


def _ran(client: Client, limited: System, changes: Sequence[Mapping[str, str]]) -> list[Record]:
    """The records of jobs that have ended."""
    # One by one: jobs of one moment would run queue by queue, each freeing the place for the same worker.
    ids = [client.submit({**system.spec("/bin/true"), **one}).id for one in changes]
    client.await_ends(ids, _WITHIN_S)
    return [kept.record for kept in limited.ledger.kept(ids) if kept is not None]
