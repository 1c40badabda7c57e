"""When a command is asked to end (SIGTERM), and when it is killed (SIGKILL): values in, a step out.

Soft limit: asked, and killed at the hard limit. Stop: asked, and killed after the stop's own grace. Hard
limit, a lost worker, too much memory: killed at once. The first cause is the reason that is reported, but a
hard limit replaces the soft one that led to it. All times are seconds of the boot-time clock.
"""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

from enum import Enum

from .wire import Reason


class Step(Enum):
    """What is to be done now."""

    WAIT = "wait"
    ASK = "ask"
    KILL = "kill"


class Ladder:
    """One command's way to its end."""

    def __init__(self, started_s: float, soft_s: float | None, hard_s: float | None) -> None:
        """`soft_s`, `hard_s`: seconds after `started_s`; None is no limit."""
        self._soft_at = None if soft_s is None else started_s + soft_s
        self._hard_at = None if hard_s is None else started_s + hard_s
        self._kill_at: float | None = None
        self._asked = False
        self.cause: Reason | None = None
        self.message = ""

    def stop(self, now_s: float, grace_s: float, message: str) -> None:
        """Somebody wants the end. A second stop can only make the grace shorter."""
        self._begin(Reason.STOPPED, now_s + grace_s, message)

    def lose(self, now_s: float, reason: Reason, message: str) -> None:
        """There is no right to run any longer: no grace."""
        self._begin(reason, now_s, message)

    def step(self, now_s: float) -> Step:
        """What is to be done at this time. Asking is answered once."""
        if self._hard_at is not None and now_s >= self._hard_at:
            self._reach_hard_limit(now_s)
        elif self._soft_at is not None and now_s >= self._soft_at and self.cause is None:
            self._begin(Reason.SOFT_LIMIT, self._hard_at, "the soft time limit was reached")
        if self._kill_at is not None and now_s >= self._kill_at:
            return Step.KILL
        if self.cause is None or self._asked:
            return Step.WAIT
        self._asked = True
        return Step.ASK

    @property
    def next_at(self) -> float | None:
        """When `step` will next answer something new of itself; None: never."""
        soft_at = self._soft_at if self.cause is None else None
        return min((at for at in (soft_at, self._hard_at, self._kill_at) if at is not None), default=None)

    def _begin(self, cause: Reason, kill_at: float | None, message: str) -> None:
        if self.cause is None:
            self.cause, self.message = cause, message
        if kill_at is not None:
            self._kill_at = kill_at if self._kill_at is None else min(kill_at, self._kill_at)

    def _reach_hard_limit(self, now_s: float) -> None:
        if self.cause is Reason.SOFT_LIMIT:
            self.cause = None
        self._begin(Reason.HARD_LIMIT, now_s, "the hard time limit was reached")
