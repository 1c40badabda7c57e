"""A task worker with real children over a ledger in memory."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysds.adapters.engines.base import EngineSettings
from hysds.adapters.engines.process import ProcessEngine
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.acceptance import DedupPolicy, acceptance
from hysds.core.ids import JobId
from hysds.core.parse import parse_task
from hysds.core.record import FOREVER
from hysds.leasing import marks
from hysds.leasing.presence import Identity
from hysds.leasing.worker import LeaseWorker
from hysds.lib.uuid7 import Uuid7Source
from hysds.settings.model import Settings
from hysds.settings.tasks import Tasks
from hysds.settings.worker import Worker
from hysds.task_worker import assembly
from worlds.leasing import LeaseBench

FUNCTIONS = Path(__file__).parent / "light_tasks"
"""Where the functions lie that tests call: the modules `light` and `broken`."""
_NAME = "w@test/1"
_POLICY = DedupPolicy(frozenset(), FOREVER)


@dataclass(slots=True)
class TaskBench(LeaseBench):
    """Runs one task after the other, in this thread; `close` ends the children."""

    work_dir: Path
    new_id: Uuid7Source

    def run(self, function: str, *args: Any, **fields: Any) -> dict[str, Any]:
        """The document of a task that called `light.<function>`, or any function by its dotted name."""
        job_id = self.submit(function, *args, **fields)
        assert self.worker.perform("q", lambda shown: None) == job_id
        return self.job(job_id)

    def submit(self, function: str, *args: Any, **fields: Any) -> str:
        """A queued task's id."""
        name = function if "." in function else f"light.{function}"
        spec = parse_task({"function": name, "args": list(args), **fields}, "q")
        job_id = JobId(self.new_id())
        self.ledger.accept([acceptance(job_id, spec, _POLICY)])
        return job_id

    def close(self) -> None:
        """End all children."""
        self.worker.close()
        self.ledger.close()


def make(home: Path, allow: tuple[str, ...] = ("light", "broken"), **tasks: Any) -> TaskBench:
    """A bench whose children work below `home`; `tasks`: settings of it."""
    ledger = MemoryLedger(retention_ms=3_600_000)
    settings = Settings(
        home=home,
        worker=Worker(stop_grace_s=0.2, disk_reserve_bytes=0),
        tasks=Tasks(**{"allow": allow, "concurrency": 1, **tasks}),
    )
    own = {marks.WORKER: _NAME}
    engine = ProcessEngine(EngineSettings(silence_limit_s=600.0, isolation_limit_s=600.0, marks=own))
    identity = Identity(_NAME, "w@test", "test", ("q",), settings.tasks.concurrency, "{}")
    world = assembly.World(ledger, engine, random.random, dict(os.environ), FUNCTIONS)
    parts = assembly.parts(identity, settings, world)
    worker = LeaseWorker(identity, parts)
    worker.prepare()
    return TaskBench(ledger, parts, worker, settings.work_dir, Uuid7Source())
