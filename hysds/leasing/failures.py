"""What failed on this worker since the last success, for watchdogs: they drain a worker on which job after job fails.

It is of this life of the process, as a restart may be the cure; and forgotten when an operator has it work again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hysds.core import streaks
from hysds.core.outcome import Outcome
from hysds.core.status import FailureClass
from hysds.core.streaks import Failed, Streak
from hysds.leasing.attempt import Attempt
from hysds.lib import clocks

_BROKEN = Outcome(FailureClass.INTERNAL)
"""Of an attempt that could not be ended in order."""


class Failures:
    """Any thread may call any method. `wall_ms` is this process's wall clock."""

    def __init__(self, wall_ms: Callable[[], int] = clocks.wall_ms) -> None:
        self._wall_ms = wall_ms
        self._lock = threading.Lock()
        self._streak = Streak()

    def add(self, attempt: Attempt) -> None:
        """An attempt has ended here. One that was stopped, or that is not ours any more, says nothing of this host."""
        if attempt.stopped is not None:
            return
        ended = attempt.outcome or _BROKEN
        if ended.failure is None:
            self.forget()
            return
        failed = Failed(attempt.id, attempt.spec.job_type, ended.failure, ended.permanent)
        with self._lock:
            self._streak = self._streak.plus(failed, self._wall_ms())

    def forget(self) -> None:
        """A success, or an operator's word: what comes now is another row."""
        with self._lock:
            self._streak = Streak()

    def told(self) -> dict[str, Any]:
        """What is announced of it; empty where nothing failed."""
        return streaks.told(self._streak)
