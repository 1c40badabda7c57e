"""Looks at a job and at whoever could take it, for an explanation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from hysds.bootstrap import System
from hysds.core.document import document
from hysds.core.errors import NotFound, Unreachable
from hysds.core.explanation import throttled
from hysds.core.explanation.explain import explain
from hysds.core.explanation.queueing import obstacle, takers
from hysds.core.explanation.values import Explanation, Seen, Terms, Why
from hysds.core.ids import JobId
from hysds.core.limit_keys import LimitState
from hysds.core.record import AFTER, TASK, Record
from hysds.core.requests import Place
from hysds.core.shapes import Shape
from hysds.core.status import ENDED, Status
from hysds.core.throttle_values import waits_in_line
from hysds.orchestrator.submit import Submission
from hysds.ports.ledger import Kept
from hysds.settings.model import Settings

_SMALLEST = str(Shape())
"""Fits whoever takes anything."""
_LOOKS = 3
"""A job may be claimed between the look at its record and the look at its place."""

Find = Callable[[str], Mapping[str, Any]]
"""The document of a job. Raises: NotFound, Unreachable."""


def explained(system: System, job_id: JobId, find: Find) -> Explanation:
    """Why the job stands where it stands, now.

    Raises: Unreachable where the ledger does not answer and the job has not ended, as far as the store knows.
    """
    try:
        kept, place = _standing(system, job_id)
    except Unreachable:
        # A terminal status never changes: of an ended job the store knows all. The ledger is not asked once more, as
        # one that hangs costs all its timeouts each time.
        [stored] = system.store.get([job_id])
        if stored is None or stored["status"] not in ENDED:
            raise
        return explain(Seen(job_id, stored), _terms(system.settings, time.time_ns() // 1_000_000))
    kind = kept.record.kind if kept is not None else ""
    terms = _terms(system.settings, system.ledger.now_ms(), kind)
    if kept is None:
        whole = _found(find, job_id)
        return explain(Seen(job_id, whole, twin=_twin(find, whole)), terms)
    whole = document(kept.record, kept.spec, kept.attempts, kept.error)
    workers = () if kept.record.status.is_terminal else system.ledger.workers()
    twin, others = _twin(find, whole), _others(find, kept, whole)
    record, limit = _limit(system, kept.record)
    seen = Seen(job_id, whole, record, place, workers, twin, others, limit)
    return explain(seen, terms)


def obstacles(system: System, submissions: Iterable[Submission]) -> tuple[Why, ...]:
    """Why nobody takes them as things are; see `Client.obstacles`. Workers are asked for only where that may be."""
    asked = {
        (one.queue, one.shape): one
        for one in submissions
        if one.hearers == 0 or (one.hearers and one.shape != _SMALLEST)
    }
    try:
        workers = system.ledger.workers() if asked else ()
    except Unreachable:
        return ()
    found = (obstacle(one, takers(one, workers)) for one in asked.values())
    return tuple(dict.fromkeys(why for why in found if why is not None))


def _standing(system: System, job_id: JobId) -> tuple[Kept | None, Place | None]:
    """The job, and its place where it is queued."""
    kept: Kept | None = None
    for _ in range(_LOOKS):
        kept = system.ledger.kept([job_id])[0]
        if kept is None or kept.record.status is not Status.QUEUED:
            break
        place = system.ledger.place(job_id)
        if place is not None:
            return kept, place
    return kept, None


def _twin(find: Find, whole: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    other = whole.get("dedup_job") if whole is not None else None
    return _found(find, other) if isinstance(other, str) else None


def _others(find: Find, kept: Kept, whole: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """What is known of the jobs that it waits for."""
    if kept.record.reason != AFTER:
        return ()
    found = (_found(find, other) for other in whole["after"]["jobs"])
    return tuple(one for one in found if one is not None)


def _limit(system: System, record: Record) -> tuple[Record, LimitState | None]:
    """The record with what keeps it now as its reason, and what stands under that key."""
    if not waits_in_line(record):
        return record, None
    states = {one.key: one for one in system.ledger.limits(throttled.keys(record))}
    now = replace(record, reason=throttled.kept_now(record, tuple(states.values())))
    return now, states.get(throttled.key_of(now))


def _found(find: Find, job_id: str) -> Mapping[str, Any] | None:
    try:
        return find(job_id)
    except NotFound:
        return None


def _terms(settings: Settings, now_ms: int, kind: str = "") -> Terms:
    return Terms(
        now_ms=now_ms,
        lease_ms=round(settings.ledger.lease_s * 1000),
        renew_ms=round(settings.ledger.renew_interval_s * 1000),
        stop_grace_ms=round(settings.worker.stop_grace_s * 1000),
        drain_timeout_ms=round(settings.worker.drain_timeout_s * 1000),
        retention_ms=round(settings.ledger.record_retention_s * 1000),
        default_time_limit_s=(settings.tasks if kind == TASK else settings.jobs).default_time_limit_s,
        time_limit_gap_s=settings.jobs.hard_time_limit_gap_s,
    )
