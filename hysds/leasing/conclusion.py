"""From an attempt's outcome to what the ledger is told: the end, another attempt, or that it goes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from hysds.core import retry
from hysds.core.errors import Unreachable
from hysds.core.outcome import Outcome
from hysds.core.requests import Commit
from hysds.core.status import FailureClass, Status
from hysds.leasing.attempt import Attempt, Stop

_MAX_ERROR = 4096


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The job goes back unfinished: the worker is leaving."""

    id: str
    fence: int
    detail: str


Verdict = Commit | GiveBack | None
"""How to end an attempt's lease; None where it is not ours any more."""


class Times(Protocol):
    """What the policy of retries asks of the world."""

    @property
    def chance(self) -> Callable[[], float]:
        """A number in [0, 1) for the jitter of retry delays."""

    @property
    def ledger_ms(self) -> Callable[[], int]:
        """The ledger's wall-clock time, in ms. Raises: Unreachable"""


def conclude(attempt: Attempt, ended: Outcome, detail: str, times: Times) -> Verdict:
    """What the ledger is told: policy decides between the end and another attempt."""
    attempt.outcome = ended  # whoever counts failures of this worker looks there
    stopped = attempt.stopped
    end = partial(Commit, attempt.id, attempt.fence, detail=detail)
    if stopped is Stop.LOST:
        return None
    if stopped is Stop.DRAIN and not _came_to_an_end(ended):
        return GiveBack(attempt.id, attempt.fence, detail)
    if stopped is Stop.CANCEL and not _came_to_an_end(ended):
        return end(Status.REVOKED, reason=FailureClass.CANCELLED.value, fails=attempt.record.fails)
    if ended.failure is None:
        return end(Status.COMPLETED, fails=attempt.record.fails)
    failed = retry.Failure(ended.failure, ended.permanent, ended.exit_code, attempt.record.memory_bytes)
    now_ms = _now_ms(attempt, times)
    next_ = retry.decide(attempt.spec, attempt.record.fails, failed, now_ms, times.chance())
    return end(
        next_.status,
        reason=ended.failure.value,
        fails=next_.fails,
        wake_ms=next_.wake_ms,
        shape=next_.shape,
        memory_bytes=next_.memory_bytes,
    )


def broken(attempt: Attempt, error: Exception) -> Commit | None:
    """The last resort, of an attempt that could not be told in any other way: a failure for good, with nothing in it
    that could break again.
    """
    if attempt.stopped is Stop.LOST:
        return None
    said = f"the attempt could not be ended in order: {type(error).__name__}: {error}"[:_MAX_ERROR]
    return Commit(
        attempt.id,
        attempt.fence,
        Status.FAILED,
        reason=FailureClass.INTERNAL.value,
        fails=attempt.record.fails,
        detail=json.dumps({"error": said}),
    )


def _now_ms(attempt: Attempt, times: Times) -> int:
    """The time that a delay counts from. The ledger's own clock may have been set since the claim: it is asked, and
    what passed since the claim is added to that only where it does not answer.
    """
    try:
        return times.ledger_ms()
    except Unreachable:
        return round(attempt.ledger_s() * 1000)


def _came_to_an_end(ended: Outcome) -> bool:
    """Whether the work itself came to a good end, stop or no stop."""
    return ended.failure is None and ended.exit_code == 0
