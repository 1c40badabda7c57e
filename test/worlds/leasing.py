"""What benches of job workers and of task workers have in common: a worker under leases of a ledger in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.document import document
from hysds.core.floor_requests import Announcement
from hysds.leasing.worker import LeaseWorker, Parts


@dataclass(slots=True)
class LeaseBench:
    """Runs one job after the other."""

    ledger: MemoryLedger
    parts: Parts
    worker: LeaseWorker

    def job(self, job_id: str) -> dict[str, Any]:
        """The job's document."""
        [kept] = self.ledger.kept([job_id])
        assert kept is not None
        return document(kept.record, kept.spec, kept.attempts, kept.error)

    def heed(self) -> None:
        """Renew, and act on what the ledger says of each lease."""
        fit = self.parts.host.fit()
        self.parts.keeper.renew(Announcement("test", "w@test", ("q",), self.worker.slots, fit))

    @contextmanager
    def performing(self) -> Iterator[None]:
        """Run a job beside the test, which has come to its end when this does."""
        thread = threading.Thread(target=self.worker.perform, args=("q", lambda shown: None), daemon=True)
        thread.start()
        yield
        thread.join()
