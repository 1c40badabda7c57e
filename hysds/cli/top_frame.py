"""What `hysds top` shows of a system at one moment: sections of a title and a table, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hysds.cli import words, worker_rows
from hysds.cli.tables import Table
from hysds.cli.worker_rows import Row
from hysds.core import moments
from hysds.lib import units
from hysds.sdk.happenings import Overview
from hysds.sdk.queues import QueueView

_QUEUES = ("queue", "ready", "oldest", "running", "waiting", "in/min", "out/min", "workers", "paused")
_WORKERS = ("worker", "state", "slots", "jobs", "load", "memory", "disk", "heard")
_JOBS = ("id", "type", "queue", "phase", "for", "worker", "progress")
_MOST_ROWS = 200
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Section:
    """A title, clean text, and what stands below it; None: nothing."""

    title: str
    table: Table | None = None


def sections(seen: Overview) -> tuple[Section, ...]:
    """The head first; queues and workers in the order of their names, those with work before all others."""
    rows = worker_rows.rows(seen.workers)
    return (_head(seen, rows), _queues(seen), _workers(rows), _jobs(seen))


def away(why: str) -> Section:
    """The head of a system that does not answer."""
    return Section(words.clean(f"the system does not answer, what is below is old: {why}"))


def document(seen: Overview) -> dict[str, Any]:
    """All of it. Sizes are bytes, times ISO 8601 or seconds."""
    pulse = seen.pulse
    return {
        "at": moments.iso(seen.at_ms),
        "server": pulse.server,
        "memory_bytes": pulse.memory_bytes,
        "memory_limit_bytes": pulse.memory_limit_bytes,
        "running": seen.running_in_all,
        "due": pulse.due,
        "events_to_index": seen.behind,
        "queues": [_queue_document(view) for view in seen.queues],
        "workers": [worker_rows.as_document(row) for row in worker_rows.rows(seen.workers)],
        "jobs": list(seen.running),
    }


def _head(seen: Overview, rows: list[Row]) -> Section:
    pulse, heard = seen.pulse, [row for row in rows if not row.is_silent]
    memory = units.format_size(pulse.memory_bytes)
    if pulse.memory_limit_bytes is not None:
        memory += f" of {units.format_size(pulse.memory_limit_bytes)}"
    ready = sum(view.ready for view in seen.queues)
    waiting = sum(count for view in seen.queues for _, count in view.waiting)
    slots = f"{sum(row.used for row in heard)} of {sum(row.slots for row in heard)} slots busy"
    behind = f"{seen.behind} events to index" if seen.behind else "indexed"
    parts = (
        moments.iso(seen.at_ms),
        f"{ready} ready, {waiting} waiting, {seen.running_in_all} running",
        f"{units.counted(len(heard), 'worker')}, {slots}",
        behind,
        f"{pulse.server}, {memory}",
    )
    return Section(words.clean(" | ".join(parts)))


def _queues(seen: Overview) -> Section:
    views = sorted(seen.queues, key=lambda one: (not (one.ready or one.running or one.waiting), one.name))
    title = f"queues: {len(views)}{_more(len(views))}"
    shown = [_queue_row(view) for view in views[:_MOST_ROWS]]
    return Section(title, Table(_QUEUES, shown, _QUEUES) if shown else None)


def _queue_row(view: QueueView) -> tuple[str, ...]:
    pause = view.pause
    return (
        words.clean(view.name),
        str(view.ready),
        "" if view.oldest_s is None else words.seconds(view.oldest_s),
        str(view.running),
        ", ".join(f"{count} {words.clean(word)}" for word, count in view.waiting),
        f"{view.in_per_min:.1f}",
        f"{view.out_per_min:.1f}",
        str(len(view.workers)),
        "" if pause is None else words.clean(f"paused {pause.reason}".rstrip()),
    )


def _queue_document(view: QueueView) -> dict[str, Any]:
    return {
        "name": view.name,
        "ready": view.ready,
        "oldest_s": view.oldest_s,
        "running": view.running,
        "waiting": dict(view.waiting),
        "in_per_min": view.in_per_min,
        "out_per_min": view.out_per_min,
        "workers": list(view.workers),
        "is_paused": view.pause is not None,
    }


def _workers(rows: list[Row]) -> Section:
    order = sorted(rows, key=lambda row: (row.is_silent, not row.state.held, row.state.name))
    title = f"workers: {len(order)}{_more(len(order))}"
    shown = [_worker_row(row) for row in order[:_MOST_ROWS]]
    return Section(title, Table(_WORKERS, shown, _WORKERS) if shown else None)


def _worker_row(row: Row) -> tuple[str, ...]:
    heard = "" if row.heard_s is None else f"{words.seconds(row.heard_s)} ago"
    cells = (
        row.state.name,
        row.word,
        f"{row.used}/{row.slots}",
        str(len(row.state.held)),
        row.load,
        row.room("memory"),
        row.room("disk"),
        heard,
    )
    return tuple(words.clean(cell) for cell in cells)


def _jobs(seen: Overview) -> Section:
    shown = [_job_row(one, seen.at_ms) for one in seen.running]
    more = seen.running_in_all - len(shown)
    title = f"running jobs: {seen.running_in_all}" + (f", {len(shown)} shown" if more > 0 else "")
    return Section(title, Table(_JOBS, shown, _JOBS) if shown else None)


def _job_row(document: Mapping[str, Any], now_ms: int) -> tuple[str, ...]:
    started_ms = moments.ms_of(document["job"]["job_info"].get("time_start"))
    took = words.seconds(max(now_ms - started_ms, 0) / 1000) if started_ms else ""
    named = (document.get(name) for name in ("id", "type", "queue", "phase"))
    note = words.cut(words.shown(document.get("progress")), _LONGEST)
    return (*(words.shown(one) for one in named), took, words.shown(document.get("celery_hostname")), note)


def _more(count: int) -> str:
    return f", {_MOST_ROWS} shown" if count > _MOST_ROWS else ""
