"""Workloads that only seem to run: a script decides how each ends, at once, in this thread. For tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hysds.lib.process.ending import Ending, Moment, Usage
from hysds.ports.engines import Play, Workload

PID = 1


@dataclass(slots=True)
class SimulatedRun:
    """A workload that has ended already."""

    ending: Ending
    pid: int | None = PID
    stops: list[tuple[float, str]] = field(default_factory=list)

    def wait(self, timeout_s: float | None) -> Ending:
        """Its end."""
        return self.ending

    def stop(self, grace_s: float, reason: str) -> None:
        """Too late; it is written down."""
        self.stops.append((grace_s, reason))

    def close(self) -> None:
        """Nothing is left to let go of."""


class SimulatedEngine:
    """Plays workloads. `script` is asked for each what it does."""

    def __init__(self, script: Callable[[Workload], Play]) -> None:
        self._script = script

    def prepare(self) -> None:
        """Nothing guards what does not run."""

    def start(self, workload: Workload) -> SimulatedRun:
        """Play a workload to its end."""
        play = self._script(workload)
        workload.stdout.write_bytes(play.stdout)
        workload.stderr.write_bytes(play.stderr)
        now = Moment(time.clock_gettime(time.CLOCK_BOOTTIME), time.time())
        return SimulatedRun(
            Ending(
                reason=play.reason,
                exit_code=play.exit_code,
                signal=None,
                errno=None,
                message="",
                started=now,
                ended=now,
                usage=Usage(0.0, 0.0, 0),
                leftovers=0,
            )
        )

    def beat(self) -> None:
        """Nobody listens."""

    def isolated(self, since_boot_s: float) -> None:
        """Nothing runs that could run too long."""

    def connected(self) -> None:
        """See `isolated`."""

    def close(self) -> None:
        """Nothing runs."""
