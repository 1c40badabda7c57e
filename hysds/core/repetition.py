"""The spec of a job that is to be done again: from the ledger while it remembers the job, else from the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hysds.core import cause, parse, queue_names
from hysds.core.errors import Complaint, Conflict, InvalidSpec, Refused
from hysds.core.record import GROUP, Record
from hysds.core.spec import MAX_PRIORITY, TASK, JobSpec, from_stored
from hysds.core.status import ENDED, FailureClass, Status

_OF_JOB = (
    "priority",
    "tag",
    "username",
    "concurrency_key",
    "context",
    "resources",
    "retry",
    "ttl",
    "deadline",
)
_OF_INFO = ("soft_time_limit", "time_limit")


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be other than it was; None: nothing."""

    queue: str | None = None
    priority: int | None = None


def of_record(record: Record, stored: str, changes: Changes) -> JobSpec:
    """The spec of a job that the ledger remembers: whole, with the values of its environment.

    Raises: Conflict for a job that has not ended, Refused for one that never was a job or is a duplicate of one.
    """
    if record.kind == GROUP:
        raise _group(record.id)
    if not record.status.is_terminal:
        raise _live(record.id, record.status.value)
    if record.status is Status.DEDUPED:
        raise _duplicate(record.id, record.dedup_job)
    if record.reason == FailureClass.INVALID.value and not record.claims:
        raise _never_taken(record.id)
    # Where it stood last, as an operator may have moved it; and at once, whatever the first one waited for.
    spec = replace(
        from_stored(stored), job_queue=record.queue, priority=record.priority, not_before=None, after=None
    )
    if spec.deadline_at_s:
        spec = replace(spec, deadline=None)  # it was the first one's, and may lie in the past
    return _changed(spec, changes)


def of_document(document: Mapping[str, Any], changes: Changes) -> JobSpec:
    """The spec as far as a document holds it.

    Raises: Conflict for a job that has not ended, Refused for a duplicate, and for a job of which the document does
    not hold enough: the values of its environment are not in it.
    """
    id_, status, job = str(document.get("id")), document.get("status"), document.get("job")
    if document.get("children"):
        raise _group(id_)
    if status not in ENDED:
        raise _live(id_, str(status))
    if status == Status.DEDUPED.value:
        raise _duplicate(id_, str(document.get("dedup_job") or ""))
    if not isinstance(job, Mapping):
        raise Refused(f"job {id_}: its document holds no spec; submit the job anew")
    if document.get("failure_class") == FailureClass.INVALID.value and not document.get("attempts"):
        raise _never_taken(id_)
    if job.get("env"):
        names = ", ".join(map(str, job["env"]))
        raise Refused(
            f"job {id_}: the ledger has forgotten it, and documents hold no values of variables ({names}), as they may "
            "be secrets; submit the job anew"
        )
    try:
        spec = parse.parse_document(_rebuilt(document, job))
    except InvalidSpec as error:
        raise Refused(
            f"job {id_}: no spec can be made of its document ({error}); submit the job anew"
        ) from error
    return _changed(replace(spec, cause=cause.of_document(document)), changes)


def _rebuilt(document: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    info = job.get("job_info")
    info = info if isinstance(info, Mapping) else {}
    values = {
        "job_type": document.get("type"),
        "payload": job.get("params"),
        "kind": TASK if document.get("resource") == "task" else None,
        "job_name": job.get("name"),
        "job_queue": document.get("queue"),
        "enable_dedup": document.get("dedup"),
        "payload_hash": document.get("payload_hash"),
        "array_index": document.get("array_index"),
        **{name: job.get(name) for name in _OF_JOB},
        **{name: info.get(name) for name in _OF_INFO},
    }
    return {name: value for name, value in values.items() if value is not None}


def _changed(spec: JobSpec, changes: Changes) -> JobSpec:
    """Raises: InvalidSpec for a queue that can't be one, or a priority that can't."""
    if changes.queue is not None:
        complaints = tuple(queue_names.check(changes.queue, "queue"))
        if complaints:
            raise InvalidSpec(complaints)
        spec = replace(spec, job_queue=changes.queue)
    if changes.priority is None:
        return spec
    if not 0 <= changes.priority <= MAX_PRIORITY:
        raise InvalidSpec((Complaint("priority", f"is from 0 to {MAX_PRIORITY}, not {changes.priority}"),))
    return replace(spec, priority=changes.priority)


def _group(id_: str) -> Refused:
    return Refused(
        f"job {id_} is a group, which runs nothing: do those of its members again that failed "
        f"(hysds retry --parent {id_})"
    )


def _live(id_: str, status: str) -> Conflict:
    return Conflict(f"job {id_} is {status}: what has not ended can't be retried; cancel it first")


def _duplicate(id_: str, twin: str) -> Refused:
    """Its retry would be a duplicate in turn, or do again what another job is asked to do."""
    if not twin:
        return Refused(f'job {id_} is a duplicate, and never ran: submit its spec with "enable_dedup": false')
    return Refused(
        f"job {id_} is a duplicate of job {twin}, and never ran: retry that one once it has ended "
        f"(hysds status {twin}); "
        'to run the work beside it, submit the spec with "enable_dedup": false'
    )


def _never_taken(id_: str) -> Refused:
    return Refused(f"job {id_} was refused when it was submitted: mend its spec, and submit it anew")
