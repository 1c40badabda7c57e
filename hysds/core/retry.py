"""Whether a failed attempt is tried again, when, and with how much memory: the one place that knows this policy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hysds.core.budgets import Budget, OomLadder
from hysds.core.record import FOREVER
from hysds.core.spec import JobSpec
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
    """What follows a failed attempt, as its commit says it.

    `wake_ms`: when a waiting job is ready again (wall ms); 0 otherwise. `shape` and `memory_bytes`: what the next
    attempt gets where that is not what this one had; "" and 0 otherwise.
    """

    status: Status
    wake_ms: int
    fails: str
    shape: str = ""
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt as the policy sees it. `permanent`: trying again can't help, whatever the budget."""

    failure: FailureClass
    permanent: bool = False
    exit_code: int | None = None
    """The command's own; None, or below 0, where it has none: a signal ended it, or it never ran."""
    memory_bytes: int = 0
    """The memory limit that the attempt had, from its record; 0: the spec's."""


def decide(spec: JobSpec, fails: str, failed: Failure, now_ms: int, chance: float) -> Next:
    """Queued now, waiting until later, or failed for good.

    `fails` counts the failures before this one (`encode`), `chance` in [0, 1) is drawn by the caller: the delay is that
    part of the class's exponential delay ("full jitter": AWS Architecture Blog, 2015).
    """
    counts = decode(fails)
    count = counts[failed.failure] = counts.get(failed.failure, 0) + 1
    end = Next(Status.FAILED, 0, encode(counts))
    if failed.permanent:
        return end
    ladder = spec.retry.oom
    if failed.failure is FailureClass.OOM and ladder is not None:
        return _climb(spec, ladder, failed, end) if _is_left(ladder.attempts, count) else end
    budget = budget_of(spec, failed)
    if not _is_left(budget.attempts, count):
        return end
    delay_ms = round(chance * delay_s(budget, count) * 1000)
    if delay_ms == 0:
        return replace(end, status=Status.QUEUED)
    return replace(end, status=Status.WAITING, wake_ms=now_ms + delay_ms)


def budget_of(spec: JobSpec, failed: Failure) -> Budget:
    """What holds for a failure: its exit code's budget, the class's own, or the default one."""
    if failed.failure is FailureClass.USER and failed.exit_code is not None:
        by_code = spec.retry.on_exit_codes.get(str(failed.exit_code))
        if by_code is not None:
            return by_code
    return spec.retry.budget(failed.failure) or DEFAULTS[failed.failure]


def _climb(spec: JobSpec, ladder: OomLadder, failed: Failure, end: Next) -> Next:
    """The next rung: more memory, at once; none above the cap."""
    had = failed.memory_bytes or spec.resources.memory or ladder.cap
    if had >= ladder.cap:
        return end
    memory_bytes = min(math.ceil(had * ladder.factor), ladder.cap)
    shape = str(spec.shape_with(memory_bytes))
    return replace(end, status=Status.QUEUED, shape=shape, memory_bytes=memory_bytes)


def _is_left(attempts: int | None, failures: int) -> bool:
    return attempts is None or failures < attempts


def delay_s(budget: Budget, failures: int) -> float:
    """The longest delay after so many failures: doubles with each, up to the cap."""
    return min(budget.cap, budget.delay * 2.0 ** min(failures - 1, 60))


def left(spec: JobSpec, failure: FailureClass) -> int:
    """How many more failures of a class a new job may have; FOREVER without a limit."""
    budget = spec.retry.budget(failure) or DEFAULTS[failure]
    return FOREVER if budget.attempts is None else budget.attempts - 1


def encode(counts: Mapping[FailureClass, int]) -> str:
    """Counts by class in few bytes, such as `g2x1`."""
    return "".join(f"{_CODES[failure]}{counts[failure]}" for failure in FailureClass if counts.get(failure))


def decode(fails: str) -> dict[FailureClass, int]:
    """The counts that `encode` wrote."""
    return {_CLASSES[code]: int(count) for code, count in re.findall(r"([a-z])(\d+)", fails)}
