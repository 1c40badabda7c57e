"""What is known of a started job: who has it, whether that worker still shows itself, and what ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hysds.core.explanation.queueing import OVERDUE_MS, silent_reconciler
from hysds.core.explanation.takers import facts_of, is_silent
from hysds.core.explanation.values import Coming, Reason, Seen, Terms, Why, part, span
from hysds.core.floor_requests import WorkerState
from hysds.core.record import FOREVER, TASK, Record, worker_name

_LEAVING = "draining: the worker is leaving"
"""What the gate of a worker says that was told to end."""


def started(seen: Seen, record: Record, document: Mapping[str, Any], terms: Terms) -> Why:
    """Of a job under a lease."""
    owner = next((worker for worker in seen.workers if worker.incarnation == record.owner), None)
    quiet_ms = None if owner is None else facts_of(owner).heard_ms_ago(owner.left_ms)
    lease_left_ms = None if quiet_ms is None else _lease_ms(owner, terms) - quiet_ms
    if lease_left_ms is not None and lease_left_ms < -OVERDUE_MS:
        return silent_reconciler(f"the lease of {_name(record)} ran out {span(-lease_left_ms)} ago")
    end = Coming(_after_the_lease(record), terms.now_ms + lease_left_ms if lease_left_ms is not None else 0)
    # A worker may claim a moment before it first announces itself: then only the ledger's mark tells.
    if record.suspect or (owner is not None and is_silent(owner, facts_of(owner))):
        return _silent(seen, record, quiet_ms, end)
    if record.cancel:
        return _cancelling(record, end, terms)
    phase = f", in phase {record.phase}" if record.phase else ""
    progress = f" ({record.progress})" if record.progress else ""
    return Why(
        Reason.RUNNING,
        f"it runs on {_name(record)} for {terms.ago(record.started_ms)}{phase}{progress}",
        (f"watch it: hysds logs -f {record.id}",),
        (
            *_limits(record, document, terms),
            *_drained(owner, terms),
            Coming(f"if the worker dies, {end.what}"),
        ),
    )


def _cancelling(record: Record, end: Coming, terms: Terms) -> Why:
    return Why(
        Reason.CANCELLING,
        f"a cancel was asked, and {_name(record)} stops it: SIGTERM, and SIGKILL {span(terms.stop_grace_ms)} later",
        coming=(
            Coming("it is job-revoked once nothing of it lives"),
            Coming(f"if the worker dies, {end.what}"),
        ),
    )


def _silent(seen: Seen, record: Record, quiet_ms: int | None, end: Coming) -> Why:
    since = "" if quiet_ms is None else f" for {span(quiet_ms)}"
    sentence = f"its worker {_name(record)} was not heard of{since}; its lease still holds"
    name = _name(record)
    later = [worker for worker in seen.workers if worker.name == name and worker.incarnation != record.owner]
    if later:
        sentence += ", and another life of that worker is there: it started anew"
    advice = ("see whether that host lives, and whether it reaches the ledger",)
    return Why(
        Reason.WORKER_SILENT, sentence, advice, (Coming("it goes on if the worker comes back in time"), end)
    )


def _after_the_lease(record: Record) -> str:
    if record.cancel:
        return "at the end of its lease it is job-revoked, as a cancel was asked"
    if record.lost_left == 0:
        return "at the end of its lease it fails as worker-lost: it has no more attempts for that"
    left = "without limit" if record.lost_left == FOREVER else f"{record.lost_left} more times at most"
    return f"at the end of its lease it is queued again ({left})"


def _lease_ms(owner: WorkerState | None, terms: Terms) -> int:
    return (facts_of(owner).lease_ms if owner is not None else 0) or terms.lease_ms


def _limits(record: Record, document: Mapping[str, Any], terms: Terms) -> list[Coming]:
    """When its own limits end it; they count from the command's start, a moment after the claim."""
    soft_s, hard_s = (part(document, "job", "job_info", name) for name in ("soft_time_limit", "time_limit"))
    if soft_s is None and hard_s is None:
        soft_s = terms.default_time_limit_s
    if hard_s is None:
        hard_s = soft_s + terms.time_limit_gap_s
    asked = "SoftTimeLimitExceeded is raised in it" if record.kind == TASK else "it is asked to end (SIGTERM)"
    limits = (
        (f"{asked}: its soft time limit", soft_s),
        ("it is ended: its time limit", hard_s),
    )
    found = [
        Coming(what, record.started_ms + round(limit_s * 1000))
        for what, limit_s in limits
        if limit_s is not None
    ]
    if record.deadline_ms:
        found.append(Coming("it is ended: its deadline", record.deadline_ms))
    return found


def _drained(owner: WorkerState | None, terms: Terms) -> list[Coming]:
    """What a drain does to what runs: that of an order, and that of a worker which is ending."""
    if owner is None:
        return []
    coming = []
    drain = owner.drain
    if drain is not None and drain.within_ms == FOREVER:
        coming.append(Coming("its worker is drained, takes nothing more, and lets it end"))
    elif drain is not None:
        until_ms = drain.since_ms + drain.within_ms
        coming.append(Coming("its worker is drained: it is stopped then and queued again", until_ms))
    if facts_of(owner).rest.get("gate") == _LEAVING:
        what = (
            "its worker is ending: what has not ended when its worker.drain_timeout is over is stopped and queued again"
            f" ({span(terms.drain_timeout_ms)} after its signal, if it has the settings of this host)"
        )
        coming.append(Coming(what))
    return coming


def _name(record: Record) -> str:
    return worker_name(record.owner)
