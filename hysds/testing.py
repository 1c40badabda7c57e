"""A whole system in memory, for unit tests: no server, no thread, no process, a clock that moves when it is told to.

with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=3)) as system:
    job = system.client.submit({"job_type": "job:x", "payload": {"_command": "false"}})
    system.settle()
    assert system.client.job(job.id)["status"] == "job-failed"
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from hysds.bootstrap import System
from hysds.indexer.chronicler import Chronicler, Keeping, Shelves
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.indexer.measuring import Measuring
from hysds.ports.engines import Play, Workload
from hysds.sdk.client import Client
from hysds.settings.model import Settings
from hysds.wiring.memory import MemoryAdapters

__all__ = ["FakeClock", "Play", "SimulatedSystem"]

_QUEUES = ("default",)


class FakeClock:
    """Wall time in µs since 1970 that stands still between calls of `advance`."""

    def __init__(self, now_us: int | None = None) -> None:
        """`now_us`: None begins at the present, so that new ids are not too old for the ledger."""
        self._now_us = time.time_ns() // 1000 if now_us is None else now_us

    def __call__(self) -> int:
        return self._now_us

    def advance(self, seconds: float) -> None:
        """Move on; a negative number is a clock that was set back."""
        self._now_us += round(seconds * 1_000_000)


class SimulatedSystem:
    """All roles in this thread. `script` plays each workload; None: it succeeds and prints nothing."""

    def __init__(
        self,
        home: Path,
        script: Callable[[Workload], Play] | None = None,
        queues: tuple[str, ...] = _QUEUES,
        slots: int = 1,
    ) -> None:
        self.clock = FakeClock()
        self.settings = Settings(home=home)
        self.system = System(self.settings, MemoryAdapters(self.clock, script or _succeed))
        self.client = Client(self.system)
        self.worker = self.system.job_worker("simulated@test", queues, slots)
        self._reconciler = self.system.reconciler()
        self._rules = self.system.carrying_out_rules(patience_s=0.0)
        self._indexer = Indexer(
            self.system.events,
            self.system.ledger,
            self.system.store,
            Pace("simulated", patience_s=0.0),
            aids=Aids(measure=Measuring(self.system.metrics)),
        )

        self._chronicler = Chronicler(
            self.system.journal,
            Shelves(self.system.chronicle, self.system.store),
            Keeping("simulated", patience_s=0.0),
            self.system.metrics,
        )

    def __enter__(self) -> SimulatedSystem:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def work(self) -> list[str]:
        """Run what is ready and fits, one job after the other; answers their ids in the order of their starts."""
        ran = []
        while (job_id := self.worker.perform(self.worker.queues[0], _unseen)) is not None:
            ran.append(job_id)
        return ran

    def settle(self) -> list[str]:
        """Everything that can happen now: duties, jobs, rules, documents. Answers the ids of the jobs that ran."""
        ran: list[str] = []
        while True:
            self._reconciler.round()
            self.follow_rules()
            more = self.work()
            ran += more
            self.index()
            if not more:
                return ran

    def index(self) -> None:
        """Bring the store to where the ledger is; nothing else happens."""
        while self._indexer.step().entries:
            pass
        while self._chronicler.step():
            pass

    def follow_rules(self) -> None:
        """Fire what rules match; nothing else happens."""
        self._rules.follow()

    def later(self, seconds: float) -> list[str]:
        """Let time pass, then settle. The ledger's own clock moves at most 2 s in each of its steps."""
        self.clock.advance(seconds)
        return self.settle()


def _succeed(workload: Workload) -> Play:
    return Play()


def _unseen(job_id: str) -> None:
    """Nobody watches."""
