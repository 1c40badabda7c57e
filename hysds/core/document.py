"""The job document: one pure function from what the ledger keeps of a job to what people search.

The field names are HySDS's (its `job_status` document), plus ours: `revision fence generation queue schedule
schedule_time attempts parent depth children array array_index after caused_by rule rule_depth rule_lineage
failure_class hint phase progress phase_times waiting_reason not_before ttl_end deadline retry_of retried_by
lost_workers memory_bytes cancel_requested usage`. A field without a value is left out. Of `env` only the names are
shown: people put secrets into values. Times are ISO 8601 in UTC with milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hysds.core import attempts as attempt_list
from hysds.core import cause, clip, kin_ends, moments, poison, task_event
from hysds.core.attempts import number, text, without_blanks
from hysds.core.budgets import TEN_YEARS_S
from hysds.core.kin import sums
from hysds.core.record import Attempt, Record, shown_status, worker_name
from hysds.core.spec import TASK
from hysds.core.status import FailureClass, Status

_PLAIN = {
    "timeout": "the job was not started before its ttl or deadline",
    "worker-lost": "the worker of the last attempt was lost, and no attempts are left for that",
    "preempted": "the job was given back more often than its retry policy allows",
}
"""Errors of jobs whose end no worker described."""

_PASSED_ON = ("priority", "tag", "username", "concurrency_key", "context", "resources", "retry", "ttl")


def document(record: Record, spec: str, attempts: Sequence[Attempt] = (), error: str = "") -> dict[str, Any]:
    """The document of a job at its record's revision.

    `spec` is the stored JSON of the spec, `error` the JSON of a refusal: {error, short_error?, traceback?,
    hint?}, or "".

    Raises: ValueError where the spec of an accepted job, an attempt's detail or the error is not what it
    must be.
    """
    asked = _asked(record, spec)
    last = attempts[-1] if attempts and record.status.is_terminal else None
    said = attempt_list.detail(last) if last else _object(error, "the error") if error else {}
    listed = attempt_list.listed(record, attempts, said if last else {})
    # What an attempt said of its own failure is not why the job ended, where something else ended it later.
    of_the_end = said if last is None or _ended_it(record, last) else {}
    host = worker_name(record.owner or (last.owner if last else ""))
    whole = {
        **_names(record, asked),
        "status": shown_status(record),
        "job": _job(record, asked, said, host, last),
        "celery_hostname": host,
        "tags": [tag] if (tag := _text(asked, "tag")) else [],
        "@version": "1",
        "@timestamp": moments.iso(record.revision // 1000),
        **_failure(record, of_the_end, attempts),
        **_duplicate(record),
        **_messages(said),
        **_standing(record, of_the_end),
        "phase_times": attempt_list.phase_seconds(listed[-1]) or None if last else None,
        "attempts": listed,
    }
    told = without_blanks(whole)
    return told | task_event.fields(record, said, host, last) if record.kind == TASK else told


def _ended_it(record: Record, last: Attempt) -> bool:
    """Whether the job's end is that attempt's: not a cancel or a ttl while it waited for another."""
    return last.how in (record.status.value, record.reason) and last.ended_ms >= record.ended_ms


def _asked(record: Record, spec: str) -> Mapping[str, Any]:
    """The spec's fields. A refused submission may be anything, that is why it was refused."""
    try:
        return _object(spec, "the spec")
    except ValueError:
        if record.status is Status.FAILED and record.reason == FailureClass.INVALID.value:
            return {}
        raise


def _object(text_: str, what: str) -> dict[str, Any]:
    value = json.loads(text_)
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    # A large payload is walked only where something can be wrong with it.
    return clip.sound(value) if "\\ud" in text_ or clip.encodable(text_) != text_ else value


def _text(asked: Mapping[str, Any], key: str) -> str:
    value = asked.get(key)
    return value if isinstance(value, str) else ""


def _names(record: Record, asked: Mapping[str, Any]) -> dict[str, Any]:
    same = dict.fromkeys(("id", "_id", "uuid", "job_id", "payload_id"), record.id)
    return {
        **same,
        "resource": "job",
        "type": _text(asked, "job_type"),
        "payload_hash": _text(asked, "payload_hash") or record.dedup,
        "dedup": asked.get("enable_dedup") is not False,
        "queue": record.queue,
        "revision": record.revision,
        "fence": record.fence or None,
        "generation": record.generation,
        **_tick(asked),
        **_cause(asked),
        "retry_of": record.retry_of,
        "retried_by": record.retried_by,
        "memory_bytes": record.memory_bytes or None,
        **_kin(record, asked),
    }


def _kin(record: Record, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Its group, its members' sums where it is one, its place in an array, and the jobs that it comes after."""
    return {
        "parent": record.parent,
        "depth": record.depth or None,
        "children": sums(record.kids) or None,
        "array": _text(asked, "array"),
        "array_index": asked.get("array_index"),
        "after": asked.get("after"),
    }


def _tick(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The schedule that the job comes from, and for which of its times."""
    tick = asked.get("tick")
    if not isinstance(tick, dict):
        return {}
    time_s = tick.get("time")
    moment = moments.iso(round(time_s * 1000)) if isinstance(time_s, float | int) else ""
    return {"schedule": _text(tick, "schedule"), "schedule_time": moment}


def _cause(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The rule that caused the job, and of what."""
    stored = cause.kept(asked.get("cause"))
    return cause.fields(cause.from_stored(stored)) if stored else {}


def _job(
    record: Record, asked: Mapping[str, Any], said: Mapping[str, Any], host: str, last: Attempt | None
) -> dict[str, Any]:
    payload = asked.get("payload")
    env = asked.get("env")
    values = {
        **{key: asked.get(key) for key in _PASSED_ON},
        "deadline": _lasting_deadline(asked),
        "type": _text(asked, "job_type"),
        "name": _text(asked, "job_name") or _text(asked, "job_type").replace(":", "__"),
        "job_id": record.id,
        "task_id": record.id,
        "priority": record.priority,
        "params": payload if isinstance(payload, dict) else {},
        "env": sorted(env) if isinstance(env, dict) and env else None,
        "delivery_info": _delivery(record),
        "job_info": _job_info(record, asked, said, host) | _run_time(record, last),
    }
    return without_blanks(values)


def _delivery(record: Record) -> dict[str, Any] | None:
    if not record.claims:
        return None
    return {"routing_key": record.queue, "priority": record.priority, "redelivered": record.claims > 1}


def _job_info(record: Record, asked: Mapping[str, Any], said: Mapping[str, Any], host: str) -> dict[str, Any]:
    started = record.started_ms if record.status not in (Status.QUEUED, Status.WAITING) else 0
    start, end = number(said, "cmd_start"), number(said, "cmd_end")
    facts = said.get("facts")
    values = {
        "id": record.id,
        "job_queue": record.queue,
        "time_queued": moments.iso(record.accepted_ms),
        "time_start": _moment(started),
        "time_end": _moment(record.ended_ms),
        "cmd_start": attempt_list.time(said, "cmd_start"),
        "cmd_end": attempt_list.time(said, "cmd_end"),
        "cmd_duration": None if start is None or end is None else round(end - start, 6),
        "time_limit": asked.get("time_limit"),
        "soft_time_limit": asked.get("soft_time_limit"),
        "payload_hash": _text(asked, "payload_hash") or record.dedup,
        "dedup": asked.get("enable_dedup") is not False,
        "job_payload": {"job_type": _text(asked, "job_type"), "payload_task_id": record.id},
        "job_dir": text(said, "job_dir"),
        "job_url": text(said, "job_url"),
        "execute_node": text(said, "execute_node") or host.partition("@")[2],
        "facts": clip.part(facts) if isinstance(facts, dict) else None,
        "status": number(said, "exit_code"),
        "pid": number(said, "pid"),
        "metrics": _metrics(said),
    }
    return without_blanks(values)


def _lasting_deadline(asked: Mapping[str, Any]) -> float | None:
    """The deadline as a duration from the acceptance, which is a retry's, too; a time is the first job's alone."""
    deadline = asked.get("deadline")
    return deadline if isinstance(deadline, float | int) and deadline <= TEN_YEARS_S else None


def _run_time(record: Record, last: Attempt | None) -> dict[str, float]:
    """How long the last attempt took: a job that was cancelled while it waited did not run until then."""
    if last is None or not record.ended_ms:
        return {}
    return {"duration": (last.ended_ms - last.started_ms) / 1000}


def _metrics(said: Mapping[str, Any]) -> dict[str, Any] | None:
    metrics = said.get("metrics")
    if not isinstance(metrics, dict):
        return None
    lists: dict[str, Any] = {name: [] for name in ("inputs_localized", "products_staged", "usage_stats")}
    return clip.part({**lists, "product_provenance": {}, **metrics})


def _failure(record: Record, said: Mapping[str, Any], attempts: Sequence[Attempt]) -> dict[str, Any]:
    """What went wrong, of an ended job; an attempt that is tried again tells it in its own entry."""
    if record.status not in (Status.FAILED, Status.REVOKED):
        return {}
    failed = record.status is Status.FAILED
    error = text(said, "error") or kin_ends.error(record) or (_PLAIN.get(record.reason, "") if failed else "")
    values = {
        "failure_class": kin_ends.failure_class(record)
        or (record.reason if failed else FailureClass.CANCELLED.value),
        "error": error,
        "short_error": clip.short(text(said, "short_error") or error),
        "traceback": text(said, "traceback", clip.MAX_TRACEBACK),
        "hint": text(said, "hint") or kin_ends.hint(record),
        "signum": number(said, "signum"),
    }
    is_poison = failed and record.reason == FailureClass.WORKER_LOST.value
    return values | (_toll(text(said, "error"), attempts) if is_poison else {})


def _toll(last_error: str, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """How many workers the job took with it, and which."""
    toll = poison.toll(attempts)
    if toll is None:
        return {}
    error = f"{toll.error}; of the last: {last_error}" if last_error else toll.error
    return {
        "error": error,
        "short_error": clip.short(error),
        "hint": poison.HINT,
        "lost_workers": list(toll.names),
    }


def _duplicate(record: Record) -> dict[str, Any]:
    if not record.dedup_job:
        return {}
    return {
        "dedup_job": record.dedup_job,
        "dedup_msg": f"duplicate of job {record.dedup_job}, which was {record.dedup_status}",
    }


def _messages(said: Mapping[str, Any]) -> dict[str, Any]:
    usage = said.get("usage")
    return {
        "msg": [clip.short(line) for line in attempt_list.lines(said, "msg")] or None,
        "msg_details": text(said, "msg_details", clip.MAX_TRACEBACK),
        "usage": clip.part(usage) if isinstance(usage, dict) else None,
    }


def _standing(record: Record, said: Mapping[str, Any]) -> dict[str, Any]:
    """Where a live job stands and what it waits for, and where an ended one spent its time."""
    ended = record.status.is_terminal
    return {
        "phase": record.phase or text(said, "phase"),
        "progress": clip.encodable(record.progress),
        "waiting_reason": record.reason if record.status is Status.WAITING else None,
        "not_before": _moment(record.wake_ms),
        "ttl_end": None if ended else _moment(record.ttl_ms),
        "deadline": _moment(record.deadline_ms),
        "cancel_requested": True if record.cancel and not ended else None,
    }


def _moment(ms: int) -> str:
    return moments.iso(ms) if ms else ""
