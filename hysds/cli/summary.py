"""A job's document in words: for `status`, and for the end of `run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hysds.cli import words
from hysds.cli.tables import Table
from hysds.core import moments

COLUMNS = ("id", "status", "type", "queue", "queued", "took", "error")
IMPORTANCE = ("id", "status", "type", "error", "queue", "took", "queued")
"""Of the columns, where a terminal has no room for all."""

_SHORT_ERROR = 60


def table(documents: Sequence[Mapping[str, Any]]) -> Table:
    """A list of jobs."""
    return Table(COLUMNS, [row(document) for document in documents], IMPORTANCE)


def row(document: Mapping[str, Any]) -> tuple[str, ...]:
    """One line of a list of jobs."""
    info = _info(document)
    note = document.get("short_error") or document.get("progress") or document.get("dedup_msg")
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
        ("waits for", document.get("waiting_reason")),
        ("not before", document.get("not_before")),
        ("started", info.get("time_start")),
        ("ended", info.get("time_end")),
        ("took", _took(info)),
        ("worker", document.get("celery_hostname")),
        ("phase", document.get("phase")),
        ("progress", document.get("progress")),
        ("cancel asked", document.get("cancel_requested")),
        ("duplicate of", document.get("dedup_job")),
        *ending(document),
    ]
    return [(name, words.shown(value)) for name, value in pairs if value not in (None, "")]


def ending(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How it went: why it failed, what each phase and each attempt before the last took, where its files are."""
    info = _info(document)
    attempts = document.get("attempts") or []
    pairs = [
        ("failed as", document.get("failure_class")),
        ("error", document.get("error")),
        ("hint", document.get("hint")),
        *[(f"attempt {one.get('attempt')}", _attempt(one)) for one in attempts[:-1]],
        ("phases", phases(document)),
        *[("note", note) for note in (attempts[-1].get("notes") or [] if attempts else [])],
        ("files", info.get("job_dir")),
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


def _attempt(entry: Mapping[str, Any]) -> str:
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
