"""What HySDS's `task_status` documents say of a task, in its own names, beside what is said of every job.

There, a document was the last of Celery's events of a task; here it is made of the record, so it is never behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hysds.core import clip
from hysds.core.record import Attempt, Record
from hysds.core.spec import TASK
from hysds.core.status import Status

WIRE_NAME = "hysds.task_worker.run_task"
_MAX_REPR = 1_000

_TYPES = {
    Status.QUEUED: "task-received",
    Status.WAITING: "task-received",
    Status.STARTED: "task-started",
    Status.COMPLETED: "task-succeeded",
    Status.FAILED: "task-failed",
    Status.REVOKED: "task-revoked",
    Status.DEDUPED: "task-rejected",
}


def fields(record: Record, said: Mapping[str, Any], host: str, last: Attempt | None) -> dict[str, Any]:
    """`resource`, `event`, `timestamp` and `local_received` (seconds since 1970), and the `result` of a task that
    completed, whatever it is.

    `said`: what its worker told of the last attempt, `last` that attempt, of an ended task.
    """
    completed = record.status is Status.COMPLETED
    seconds = record.revision / 1_000_000
    event = {
        "type": "task-retried" if record.fails and not record.status.is_terminal else _TYPES[record.status],
        "uuid": record.id,
        "name": WIRE_NAME,
        "hostname": host,
        "timestamp": seconds,
        "local_received": record.accepted_ms / 1000,
        "runtime": (last.ended_ms - last.started_ms) / 1000 if last is not None else None,
        "result": clip.clipped(repr(said.get("result")), _MAX_REPR) if completed else None,
        "exception": said.get("error") if record.status is Status.FAILED else None,
        "traceback": said.get("traceback") if record.status is Status.FAILED else None,
    }
    return {
        "resource": TASK,
        "timestamp": seconds,
        "local_received": record.accepted_ms / 1000,
        "event": clip.part({name: value for name, value in event.items() if value not in (None, "")}),
        **({"result": said.get("result")} if completed else {}),
    }
