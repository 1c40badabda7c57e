"""A planned job as the spec that is submitted, and as what the checker is told of it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from hysds.chaos import workload
from hysds.chaos.history import Asked
from hysds.chaos.plan import MAX_RUNNING, Cancel, JobKind, PlannedJob
from hysds.core import moments
from hysds.core.limit_keys import Limit
from hysds.core.spec import JobSpec, dedup_digest
from hysds.core.status import Status

QUEUES = ("chaos-a", "chaos-b")
_PROGRAM = Path(workload.__file__)
_AGAIN_AND_AGAIN = {"attempts": 200, "delay": "0s", "cap": "1s"}
_ENDURED = ("worker-lost", "user", "internal", "environment", "data", "timeout")
"""The classes of what faults make of an attempt: a job that can succeed has to, however often it is hit."""


def document(job: PlannedJob, effects: Path, now_s: float) -> dict[str, Any]:
    """The spec of a job that is submitted now (seconds since 1970)."""
    words = [
        sys.executable,
        "-I",
        "-S",
        str(_PROGRAM),
        str(effects),
        job.kind.value,
        str(job.steps),
        str(job.pause_s),
    ]
    endured = [name for name in _ENDURED if name != "user" or job.kind is not JobKind.FAILS]
    retry: dict[str, Any] = dict.fromkeys(endured, _AGAIN_AND_AGAIN)
    if job.kind is JobKind.RETRIES:
        retry["on_exit_codes"] = {str(workload.AGAIN): _AGAIN_AND_AGAIN}
    made: dict[str, Any] = {
        "job_type": "job:chaos",
        "job_queue": QUEUES[job.work % len(QUEUES)],
        "priority": job.priority,
        "payload": {"_command": shlex.join(words), "work": job.work},
        "resources": {"slots": job.slots, **({"cpus": job.cpus} if job.cpus else {})},
        "retry": retry,
        "enable_dedup": not job.forced,
    }
    if job.key:
        made["concurrency_key"] = job.key
    return made | ({"not_before": moments.iso(round((now_s + job.delay_s) * 1000))} if job.delay_s else {})


def asked(job: PlannedJob, id: str, told: str, sent: JobSpec, cancel: str = "") -> Asked:
    """What the checker must know. `told`, `cancel`: the answers to the submission and to its cancel."""
    ends = {Status.FAILED if job.kind is JobKind.FAILS else Status.COMPLETED}
    if not job.forced:
        ends.add(Status.DEDUPED)
    if job.cancel is not Cancel.NEVER:
        ends.add(Status.REVOKED)
    limits = (Limit(f"key:{job.key}", MAX_RUNNING),) if job.key else ()
    return Asked(id, told, job.steps, frozenset(ends), dedup_digest(sent), job.forced, cancel, limits)
