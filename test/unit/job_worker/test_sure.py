"""A worker that stood still starts nothing before it knows that the lease is still its own."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from hysds.adapters.engines.simulated import SimulatedEngine
from hysds.adapters.ledger.logs_memory import MemoryLogs
from hysds.core.record import Record
from hysds.core.requests import Commit, Lease
from hysds.core.spec import JobSpec, stored
from hysds.core.status import Status
from hysds.job_worker import run
from hysds.leasing.attempt import Attempt, Stop
from hysds.ports.engines import Play, Workload
from hysds.settings.model import Logs

LONG_S = 3600.0


def boot_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Late:
    """An attempt whose claim was answered after its lease had run out, on its way in a thread."""

    def __init__(self, home: Path) -> None:
        record = Record("job", Status.STARTED, 7, "d", "q", "1s", 0, fence=7, started_ms=1_000_000)
        spec = stored(JobSpec("job:x", {"_command": "true"}))
        self.attempt = Attempt(Lease(record, spec), sure_until_s=boot_s() - 1)
        self.began: list[Workload] = []
        self.verdicts: list[object] = []
        engine = SimulatedEngine(self._play)
        tools = run.Tools(
            engine, MemoryLogs(Logs()), home, "test", 60.0, 60.0, lambda: 0.0, self._prepare, lambda: 0
        )
        self.prepared = threading.Event()
        self._thread = threading.Thread(target=lambda: self.verdicts.append(run.run(self.attempt, tools)))
        self._thread.start()
        assert self.prepared.wait(30)

    def verdict(self) -> object:
        self._thread.join(30)
        [found] = self.verdicts
        return found

    def _prepare(self, place: object) -> None:
        self.prepared.set()

    def _play(self, workload: Workload) -> Play:
        self.began.append(workload)
        return Play()


def test_a_lease_that_the_ledger_calls_lost_is_never_started(tmp_path: Path) -> None:
    """The answer to the next renewal decides, and nothing of the job has run by then."""
    late = Late(tmp_path)
    late.attempt.stop(Stop.LOST, grace_s=0)

    assert late.verdict() is None
    assert late.began == []


def test_a_lease_that_the_ledger_confirms_is_started_with_the_time_for_which_it_is_sure(
    tmp_path: Path,
) -> None:
    """Whoever starts it looks at that time once more: it may stand still too."""
    late = Late(tmp_path)
    until_s = boot_s() + LONG_S
    late.attempt.renewed(until_s)

    verdict = late.verdict()

    assert isinstance(verdict, Commit)
    assert verdict.status is Status.COMPLETED
    assert [workload.start_by_s for workload in late.began] == [until_s]


def test_a_ledger_that_is_away_lengthens_only_what_was_sure_when_it_was_asked(tmp_path: Path) -> None:
    """Jobs go on without a ledger, as the isolation limit has it; a worker that stood still needs an answer."""
    late = Late(tmp_path)
    now_s = boot_s()
    late.attempt.unanswered(now_s, now_s + LONG_S)
    assert late.attempt.sure_until_s < now_s

    late.attempt.renewed(now_s + LONG_S)
    late.verdict()
    late.attempt.unanswered(now_s + 1, now_s + 2 * LONG_S)
    assert late.attempt.sure_until_s == now_s + 2 * LONG_S
