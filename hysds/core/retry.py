"""Whether a failed attempt is tried again, and when: the one place that knows this policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hysds.core.record import FOREVER
from hysds.core.spec import Budget, JobSpec
from hysds.core.status import FailureClass, Status

DEFAULTS: Mapping[FailureClass, Budget] = {
    FailureClass.WORKER_LOST: Budget(attempts=3, delay=1.0, cap=60.0),
    FailureClass.PREEMPTED: Budget(attempts=None),
    FailureClass.GPU: Budget(attempts=3, delay=10.0, cap=300.0),
    FailureClass.DATA: Budget(attempts=3, delay=10.0, cap=300.0),
    FailureClass.ENVIRONMENT: Budget(attempts=3, delay=10.0, cap=300.0),
    FailureClass.INTERNAL: Budget(attempts=2, delay=10.0, cap=300.0),
    FailureClass.OOM: Budget(attempts=1),
    FailureClass.USER: Budget(attempts=1),
    FailureClass.INVALID: Budget(attempts=1),
    FailureClass.TIMEOUT: Budget(attempts=1),
    FailureClass.CANCELLED: Budget(attempts=1),
}

_CODES = {
    FailureClass.USER: "u",
    FailureClass.INVALID: "i",
    FailureClass.TIMEOUT: "t",
    FailureClass.OOM: "o",
    FailureClass.ENVIRONMENT: "e",
    FailureClass.DATA: "d",
    FailureClass.GPU: "g",
    FailureClass.WORKER_LOST: "w",
    FailureClass.PREEMPTED: "p",
    FailureClass.CANCELLED: "c",
    FailureClass.INTERNAL: "x",
}
_CLASSES = {code: failure for failure, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a failed attempt. `wake_ms`: when a waiting job is ready again (wall ms); 0 otherwise."""

    status: Status
    wake_ms: int
    fails: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt as the policy sees it. `permanent`: trying again can't help, whatever the budget."""

    failure: FailureClass
    permanent: bool = False


def decide(spec: JobSpec, fails: str, failed: Failure, now_ms: int, chance: float) -> Next:
    """Queued now, waiting until later, or failed for good.

    `fails` counts the failures before this one (`encode`), `chance` in [0, 1) is drawn by the caller: the delay is that
    part of the class's exponential delay ("full jitter": AWS Architecture Blog, 2015).
    """
    counts = decode(fails)
    counts[failed.failure] = counts.get(failed.failure, 0) + 1
    now_failed = encode(counts)
    budget = spec.budget(failed.failure) or DEFAULTS[failed.failure]
    if failed.permanent or (budget.attempts is not None and counts[failed.failure] >= budget.attempts):
        return Next(Status.FAILED, 0, now_failed)
    delay_ms = round(chance * delay_s(budget, counts[failed.failure]) * 1000)
    if delay_ms == 0:
        return Next(Status.QUEUED, 0, now_failed)
    return Next(Status.WAITING, now_ms + delay_ms, now_failed)


def delay_s(budget: Budget, failures: int) -> float:
    """The longest delay after so many failures: doubles with each, up to the cap."""
    return min(budget.cap, budget.delay * 2.0 ** min(failures - 1, 60))


def left(spec: JobSpec, failure: FailureClass) -> int:
    """How many more failures of a class a new job may have; FOREVER without a limit."""
    budget = spec.budget(failure) or DEFAULTS[failure]
    return FOREVER if budget.attempts is None else budget.attempts - 1


def encode(counts: Mapping[FailureClass, int]) -> str:
    """Counts by class in few bytes, such as `g2x1`."""
    return "".join(f"{_CODES[failure]}{counts[failure]}" for failure in FailureClass if counts.get(failure))


def decode(fails: str) -> dict[FailureClass, int]:
    """The counts that `encode` wrote."""
    return {_CLASSES[code]: int(count) for code, count in re.findall(r"([a-z])(\d+)", fails)}
