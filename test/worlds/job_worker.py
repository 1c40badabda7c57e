"""A job worker with real processes over a ledger in memory."""

from __future__ import annotations

import json
import random
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysds.adapters.engines.base import EngineSettings
from hysds.adapters.engines.process import ProcessEngine
from hysds.adapters.ledger.logs_memory import MemoryLogs
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.acceptance import DedupPolicy, acceptance
from hysds.core.document import document
from hysds.core.ids import JobId
from hysds.core.parse import parse_document
from hysds.core.record import FOREVER
from hysds.job_worker import assembly
from hysds.job_worker.presence import Identity
from hysds.job_worker.worker import JobWorker
from hysds.lib.uuid7 import Uuid7Source
from hysds.settings.model import Settings, Worker

POLICY = DedupPolicy(frozenset(), FOREVER)


@dataclass(slots=True)
class Bench:
    """Runs one job after the other, in this thread."""

    ledger: MemoryLedger
    logs: MemoryLogs
    engine: ProcessEngine
    worker: JobWorker
    work_dir: Path
    new_id: Uuid7Source

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

    def python(self, code: str, **fields: Any) -> dict[str, Any]:
        """The document of a job that ran this Python code."""
        return self.run(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}", **fields)

    def job(self, job_id: str) -> dict[str, Any]:
        """The job's document."""
        [kept] = self.ledger.kept([job_id])
        assert kept is not None
        return document(kept.record, kept.spec, kept.attempts, kept.error)

    def notes(self, found: dict[str, Any]) -> list[str]:
        """What the worker noted on the job's latest attempt."""
        detail: dict[str, list[str]] = json.loads(self.ledger.book.attempts[found["id"]][-1].detail)
        return detail.get("notes", [])

    def directory(self, found: dict[str, Any]) -> Path:
        """Where the job's latest attempt worked."""
        return Path(found["attempts"][-1]["job_dir"])


def make(home: Path) -> Bench:
    """A bench whose work directories lie below `home`."""
    ledger = MemoryLedger(retention_ms=3_600_000)
    settings = Settings(home=home, worker=Worker(slots=1, stop_grace_s=0.2, disk_reserve_bytes=0))
    logs = MemoryLogs(settings.logs)
    engine = ProcessEngine(EngineSettings(silence_limit_s=600.0, isolation_limit_s=600.0))
    engine.prepare()
    identity = Identity("w@test/1", "w@test", "test", ("q",), 1, "{}")
    world = assembly.World(ledger, logs, engine, random.random)
    worker = assembly.job_worker(identity, settings, world)
    return Bench(ledger, logs, engine, worker, settings.work_dir, Uuid7Source())
