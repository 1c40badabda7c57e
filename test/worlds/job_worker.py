"""A job worker with real processes over a ledger in memory."""

from __future__ import annotations

import json
import os
import random
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysds.adapters.engines.base import EngineSettings
from hysds.adapters.engines.process import ProcessEngine
from hysds.adapters.ledger.logs_memory import MemoryLogs
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.acceptance import DedupPolicy, acceptance
from hysds.core.ids import JobId
from hysds.core.parse import parse_document
from hysds.core.record import FOREVER
from hysds.job_worker import assembly
from hysds.leasing import marks
from hysds.leasing.presence import Identity
from hysds.leasing.worker import LeaseWorker
from hysds.lib.process.guard import tree
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.engines import Running, Workload
from hysds.settings.model import Logs as LogSettings
from hysds.settings.model import Settings
from hysds.settings.worker import Worker
from worlds.leasing import LeaseBench

POLICY = DedupPolicy(frozenset(), FOREVER)


@dataclass(slots=True)
class Bench(LeaseBench):
    """Runs one job after the other, in this thread."""

    logs: MemoryLogs
    engine: ProcessEngine
    work_dir: Path
    new_id: Uuid7Source
    hooks: Hooks

    def run(self, command: str, **fields: Any) -> dict[str, Any]:
        """The document of a job with this command, once it has run."""
        job_id = self.submit(command, **fields)
        assert self.worker.perform("q", lambda shown: None) == job_id
        return self.job(job_id)

    def submit(self, command: str, **fields: Any) -> str:
        """A queued job's id."""
        spec = parse_document({"job_type": "job:q", "payload": {"_command": command}, **fields})
        job_id = JobId(self.new_id())
        self.ledger.accept([acceptance(job_id, spec, POLICY)])
        return job_id

    def lives(self, job_id: str) -> bool:
        """Whether any process of a job does."""
        mark = f"HYSDS_JOB_ID={job_id}".encode()
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
        return any(
            mark in tree.read(f"/proc/{pid}/environ").split(b"\0") for pid in pids if tree.is_alive(pid)
        )

    def python(self, code: str, **fields: Any) -> dict[str, Any]:
        """The document of a job that ran this Python code."""
        return self.run(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}", **fields)

    def notes(self, found: dict[str, Any]) -> list[str]:
        """What the worker noted on the job's latest attempt."""
        detail: dict[str, list[str]] = json.loads(self.ledger.book.attempts[found["id"]][-1].detail)
        return detail.get("notes", [])

    def directory(self, found: dict[str, Any]) -> Path:
        """Where the job's latest attempt worked."""
        return Path(found["attempts"][-1]["job_dir"])


class Hooks:
    """What a test does at a step of the job's way; nothing by default."""

    def __init__(self) -> None:
        self.starting: Callable[[], None] = _nothing
        self.finishing: Callable[[], None] = _nothing


class HookedEngine(ProcessEngine):
    """Real processes; the test acts before each start."""

    def __init__(self, settings: EngineSettings, hooks: Hooks) -> None:
        super().__init__(settings)
        self._hooks = hooks

    def start(self, workload: Workload) -> Running:
        self._hooks.starting()
        return super().start(workload)


class HookedLogs(MemoryLogs):
    """The test acts when a job with output has ended and its end is not told yet."""

    def __init__(self, settings: LogSettings, hooks: Hooks) -> None:
        super().__init__(settings)
        self._hooks = hooks

    def finish(self, id: str, fence: int) -> None:
        self._hooks.finishing()
        super().finish(id, fence)


def make(home: Path, name: str = "w@test/1", ledger: MemoryLedger | None = None, **worker: Any) -> Bench:
    """A bench whose work directories lie below `home`; `worker`: settings of it."""
    ledger = ledger or MemoryLedger(retention_ms=3_600_000)
    chosen: dict[str, Any] = {"slots": 1, "stop_grace_s": 0.2, "disk_reserve_bytes": 0, **worker}
    settings = Settings(home=home, worker=Worker(**chosen))
    hooks = Hooks()
    logs = HookedLogs(settings.logs, hooks)
    own = {marks.WORKER: name}
    engine = HookedEngine(EngineSettings(silence_limit_s=600.0, isolation_limit_s=600.0, marks=own), hooks)
    engine.prepare()
    identity = Identity(name, "w@test", "test", ("q",), settings.worker.slots, "{}")
    parts = assembly.parts(identity, settings, assembly.World(ledger, logs, engine, random.random))
    return Bench(
        ledger, parts, LeaseWorker(identity, parts), logs, engine, settings.work_dir, Uuid7Source(), hooks
    )


def _nothing() -> None:
    """Watch on."""
