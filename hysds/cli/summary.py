"""A job's document in words: for `status`, and for the end of `run`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hysds.cli import words
from hysds.cli.tables import Table
from hysds.core import moments
from hysds.core.status import OFFLINE, Status
from hysds.leasing import workdir

COLUMNS = ("id", "status", "type", "queue", "queued", "took", "error")
IMPORTANCE = ("id", "status", "type", "error", "queue", "took", "queued")
"""Of the columns, where a terminal has no room for all."""

_SHORT_ERROR = 60
_RESULT = 2_000
"""Letters of a task's result; `--json` has all of it."""
_NOT_BEGUN = frozenset({Status.QUEUED.value, Status.WAITING.value})
_RUNNING = frozenset({Status.STARTED.value, OFFLINE})
_LIVE = _NOT_BEGUN | _RUNNING


def table(documents: Sequence[Mapping[str, Any]]) -> Table:
    """A list of jobs."""
    return Table(COLUMNS, [row(document) for document in documents], IMPORTANCE)


def row(document: Mapping[str, Any]) -> tuple[str, ...]:
    """One line of a list of jobs."""
    info = _info(document)
    note = (
        document.get("short_error") or document.get("progress") or document.get("dedup_msg") or sums(document)
    )
    return (
        words.shown(document.get("id")),
        words.shown(document.get("status")),
        words.shown(document.get("type")),
        words.shown(document.get("queue")),
        _to_the_second(words.shown(info.get("time_queued"))),
        _took(info),
        words.cut(words.shown(note), _SHORT_ERROR),
    )


def details(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of all that people ask of one job; what it does not have is left out."""
    job, info = _part(document, "job"), _info(document)
    limits = [
        f"{key} {words.seconds(info[key])}" for key in ("soft_time_limit", "time_limit") if info.get(key)
    ]
    pairs = [
        ("id", document.get("id")),
        ("status", document.get("status")),
        ("name", job.get("name")),
        ("type", document.get("type")),
        ("queue", document.get("queue")),
        ("priority", job.get("priority")),
        ("tag", job.get("tag")),
        ("user", job.get("username")),
        ("limits", ", ".join(limits)),
        ("queued", info.get("time_queued")),
        ("schedule", document.get("schedule")),
        ("of time", document.get("schedule_time")),
        ("waits for", document.get("waiting_reason")),
        *_later(document),
        ("deadline", document.get("deadline")),
        ("key", job.get("concurrency_key")),
        ("members", sums(document)),
        ("array", document.get("array")),
        ("index", document.get("array_index")),
        ("member of", document.get("parent")),
        ("comes after", _after(document)),
        ("started", info.get("time_start")),
        ("ended", info.get("time_end")),
        ("took", _took(info)),
        ("worker", document.get("celery_hostname")),
        ("phase", document.get("phase")),
        ("progress", document.get("progress")),
        ("cancel asked", document.get("cancel_requested")),
        ("duplicate of", document.get("dedup_job")),
        ("result", _result(document)),
        *ending(document),
    ]
    return [(name, words.shown(value)) for name, value in pairs if value not in (None, "")]


def ending(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How it went: why it failed, what each phase and each attempt before the last took, where its files are."""
    info = _info(document)
    attempts = document.get("attempts") or []
    pairs = [
        *_class(document),
        ("error", document.get("error")),
        ("hint", document.get("hint")),
        *[(f"attempt {one.get('attempt')}", attempt(one)) for one in _told(document)],
        ("phases", phases(document)),
        *[("note", note) for note in (attempts[-1].get("notes") or [] if attempts else [])],
        ("files", _files(document)),
        ("on host", info.get("execute_node")),
    ]
    return [(name, words.shown(value)) for name, value in pairs if value not in (None, "")]


def phases(document: Mapping[str, Any]) -> str:
    """What the last attempt spent its time on, after how long in the queue."""
    parts = [(name, duration_s) for name, duration_s in (document.get("phase_times") or {}).items()]
    attempts = document.get("attempts") or []
    queued = moments.ms_of(_info(document).get("time_queued"))
    started = moments.ms_of(attempts[0].get("started")) if attempts else 0
    if queued and started:
        parts.insert(0, ("queued", max(started - queued, 0) / 1000))
    return ", ".join(f"{words.clean(name)} {words.seconds(duration_s)}" for name, duration_s in parts)


def sums(document: Mapping[str, Any]) -> str:
    """Where a group's members stand; "" for any other job."""
    counts = _part(document, "children")
    if not counts:
        return ""
    said = [f"{counts[name]} {name}" for name in counts if name != "total" and counts[name]]
    return f"{', '.join(said)} (of {counts.get('total')})"


def _result(document: Mapping[str, Any]) -> str:
    """What a task returned, as JSON; "" of a job that returns nothing."""
    if "result" not in document:
        return ""
    return words.cut(json.dumps(document["result"], ensure_ascii=False), _RESULT)


def _after(document: Mapping[str, Any]) -> str:
    after = _part(document, "after")
    named = ", ".join(map(str, after.get("jobs") or ()))
    return f"{named} (ended anyhow)" if after.get("on") == "finished" else named


def not_before(document: Mapping[str, Any]) -> str:
    """When the job may start at the earliest, where that lies ahead of a job that waits; "" elsewhere."""
    return words.shown(document.get("not_before")) if document.get("status") in _NOT_BEGUN else ""


def _later(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The time before which nothing happens: of the first attempt, or of the next one."""
    moment = document.get("not_before")
    if moment and document.get("attempts") and document.get("status") in _NOT_BEGUN:
        return [("next attempt", f"not before {words.shown(moment)}")]
    return [("not before", words.shown(moment))]


def _class(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What kind of failure it was; a job that was revoked has not failed."""
    is_revoked = document.get("status") == Status.REVOKED.value
    return [("ended as" if is_revoked else "failed as", document.get("failure_class"))]


def _told(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The attempts to tell of one by one: those that ended, but for the one that the whole tells of."""
    attempts = document.get("attempts") or []
    return [one for one in attempts if one.get("ended")] if _is_live(document) else attempts[:-1]


def _is_live(document: Mapping[str, Any]) -> bool:
    return document.get("status") in _LIVE


def _files(document: Mapping[str, Any]) -> str:
    """The work directory; of a running job below a directory that only its worker knows."""
    named = _info(document).get("job_dir")
    if named:
        return named if os.path.isdir(named) else f"{named} (not found on this host)"
    queued_ms, fence = moments.ms_of(_info(document).get("time_queued")), document.get("fence")
    if document.get("status") not in _RUNNING or not queued_ms or not fence:
        return ""
    path = workdir.locate(Path(), document["id"], fence, queued_ms).path
    return f"{path} below the work_dir of {words.shown(document.get('celery_hostname'))}"


def attempt(entry: Mapping[str, Any]) -> str:
    """Why an attempt was not the last one."""
    said = entry.get("error") or entry.get("how")
    return (
        f"{words.shown(entry.get('how'))}: {words.shown(said)}"
        if said != entry.get("how")
        else words.shown(said)
    )


def _to_the_second(moment: str) -> str:
    """A time as documents write it, without its milliseconds."""
    return f"{moment[:-5]}Z" if moment.endswith("Z") and moment[-5:-4] == "." else moment


def _took(info: Mapping[str, Any]) -> str:
    duration_s = info.get("duration")
    return words.seconds(duration_s) if isinstance(duration_s, int | float) else ""


def _info(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return _part(_part(document, "job"), "job_info")


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}
