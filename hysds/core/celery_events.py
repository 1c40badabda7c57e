"""Celery's own events as happenings: which are kept, under which name, and what of them.

What a task was called with and what it answered is left out: it may be a whole job spec, with whatever people put into
it. Of HySDS's own tasks that carry out a job the argument is the job's id, which is kept as `job_id`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hysds.core import clip
from hysds.core.happenings import EVENT, Happening, event_id

KINDS = (
    "task-received",
    "task-started",
    "task-succeeded",
    "task-failed",
    "task-retried",
    "task-revoked",
    "task-rejected",
    "worker-online",
    "worker-offline",
)
"""What Celery tells. Its heartbeats are not among them: a worker's own document has more."""

PREFIX = "celery."

CARRIES_OUT = frozenset({"hysds.job_worker.run_job", "hysds.task_worker.run_task"})
"""Tasks whose one argument is a job's id."""

_LEFT_OUT = frozenset({"args", "kwargs", "result"})
_MOST = 8_000
_JOB_ID = re.compile(r"\('([0-9A-Za-z._:-]{1,200})',\)")
_LATEST_S = 1 << 33


def happening(event: object, heard_ms: int, kinds: frozenset[str]) -> Happening | None:
    """What an event tells; None for one that is none of these kinds, or no event at all.

    The same event heard twice, or by two, is the same happening. `heard_ms`: when it was heard, wall ms; it counts for
    an event that names no time of its own.
    """
    if not isinstance(event, Mapping):
        return None
    type_, host = event.get("type"), event.get("hostname")
    if not isinstance(type_, str) or not isinstance(host, str) or type_ not in kinds:
        return None
    said = {key: _clipped(value) for key, value in event.items() if key not in _LEFT_OUT}
    if job_id := _job_id(event):
        said["job_id"] = job_id
    known = (event.get(name) for name in ("uuid", "pid", "clock", "timestamp"))
    return Happening(
        id=event_id("celery", type_, host, *known),
        resource=EVENT,
        type=f"{PREFIX}{type_}",
        status=type_,
        at_ms=_at_ms(event.get("timestamp"), heard_ms),
        hostname=host,
        event=said | {"local_received": heard_ms / 1000},
    )


def _job_id(event: Mapping[str, Any]) -> str:
    args, name = event.get("args"), event.get("name")
    if not isinstance(args, str) or not isinstance(name, str) or name not in CARRIES_OUT:
        return ""
    found = _JOB_ID.fullmatch(args)
    return found[1] if found else ""


def _at_ms(timestamp: object, heard_ms: int) -> int:
    is_time = isinstance(timestamp, int | float) and 0 < timestamp < _LATEST_S
    return max(round(timestamp * 1000), 1) if is_time else heard_ms  # type: ignore[operator]


def _clipped(value: Any) -> Any:
    return clip.clipped(value, _MOST) if isinstance(value, str) else value
