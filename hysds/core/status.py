"""The words for where a job stands and why it failed, as they travel on the wire."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a job stands. The values are HySDS's own, plus `job-waiting`."""

    QUEUED = "job-queued"
    WAITING = "job-waiting"
    STARTED = "job-started"
    COMPLETED = "job-completed"
    FAILED = "job-failed"
    REVOKED = "job-revoked"
    DEDUPED = "job-deduped"

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended; a terminal status never changes."""
        return self in TERMINAL


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.REVOKED, Status.DEDUPED})
ENDED = frozenset(status.value for status in TERMINAL)
"""TERMINAL as documents write it."""
LIVE = frozenset({Status.QUEUED, Status.WAITING, Status.STARTED})

OFFLINE = "job-offline"
"""How a started job is *shown* while its worker is silent. It is no state of the ledger: the lease still holds."""


class FailureClass(StrEnum):
    """Why an attempt failed; each class has its own retry budget."""

    USER = "user"
    INVALID = "invalid"
    TIMEOUT = "timeout"
    OOM = "oom"
    ENVIRONMENT = "environment"
    DATA = "data"
    GPU = "gpu"
    WORKER_LOST = "worker-lost"
    PREEMPTED = "preempted"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
