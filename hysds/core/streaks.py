"""Failures in a row on one worker: which of them speak against the worker, and which against the jobs.

Many failures prove little by themselves: whoever submits a thousand broken jobs must not have every worker drained that
was so unlucky as to take some. So what can be the host's doing counts job by job, and what most likely is the job's own
doing (an exit code, a limit, a program that is not there) counts once a job type, however many jobs of it fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hysds.core.status import FailureClass

MOST = 1_000
"""Failures that are counted; more say nothing new."""
_SHOWN = 5

_OF_THE_HOST = frozenset(
    {
        FailureClass.ENVIRONMENT,
        FailureClass.DATA,
        FailureClass.GPU,
        FailureClass.WORKER_LOST,
        FailureClass.INTERNAL,
    }
)
_OF_NOBODY = frozenset({FailureClass.INVALID, FailureClass.PREEMPTED, FailureClass.CANCELLED})
"""A spec that can't be run anywhere, an attempt that was taken away: neither a success nor a failure of the host."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that failed here. `permanent`: trying again, anywhere, can't help."""

    job: str
    type: str
    failure: FailureClass
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Streak:
    """What failed since the last success. `since_ms`: wall time of the first that counted, 0 where none did."""

    since_ms: int = 0
    jobs: tuple[str, ...] = ()
    """Those whose failures counted, oldest first."""
    types: frozenset[str] = frozenset()
    """Those of which a failure counted that is most likely the job's own."""
    classes: Mapping[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many failures speak against the worker."""
        return len(self.jobs)

    def plus(self, failed: Failed, now_ms: int) -> Streak:
        """One more. The same job counts once."""
        is_doubtful = failed.permanent or failed.failure not in _OF_THE_HOST
        if failed.failure in _OF_NOBODY or failed.job in self.jobs or self.count >= MOST:
            return self
        if is_doubtful and failed.type in self.types:
            return self
        name = failed.failure.value
        return Streak(
            self.since_ms or now_ms,
            (*self.jobs, failed.job),
            self.types | {failed.type} if is_doubtful else self.types,
            {**self.classes, name: self.classes.get(name, 0) + 1},
        )


def told(streak: Streak) -> dict[str, Any]:
    """As a worker announces it; empty where nothing failed."""
    if not streak.count:
        return {}
    return {
        "count": streak.count,
        "since_ms": streak.since_ms,
        "classes": dict(streak.classes),
        "jobs": list(streak.jobs[-_SHOWN:]),
    }
