"""Which jobs run for longer than others of their type, at a bounded cost.

Most of it is at hand: the ledger tells who holds what, and a fence is nearly the time of its claim. Types are read for
those alone that have run for long, and what is usual of a type from its newest documents, now and then.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hysds.core import moments, watchdogs
from hysds.core.floor_requests import WorkerState
from hysds.core.query import JobQuery
from hysds.core.searched import Sort
from hysds.core.status import Status
from hysds.core.type_names import spellings
from hysds.core.watchdogs import Bounds, Running, Trouble
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.store import Store

_MOST_LOOKED_AT = 200
"""Running jobs, those that have run longest first."""
_MOST_TYPES = 10
"""Types whose usual time is asked for at one look."""
_SAMPLES = 100
_AT_ONCE = 50
"""A spec may be a megabyte."""
_KEPT_S = 900.0
"""For how long a usual time is good; it is asked for sooner where too few jobs had completed."""
_UNKNOWN_KEPT_S = 120.0


@dataclass(frozen=True, slots=True)
class _Usual:
    limit_ms: int | None
    until_s: float


class Overdue:
    """One thread. `clock_s` never goes back."""

    def __init__(self, ledger: Ledger, bounds: Bounds, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._bounds = bounds
        self._clock_s = clock_s
        self._running: dict[tuple[str, int], Running] = {}
        self._usual: dict[str, _Usual] = {}

    def look(self, workers: Sequence[WorkerState], store: Store, now_ms: int) -> list[Trouble]:
        """What runs for too long now.

        Raises: Unreachable
        """
        running = self._long(workers, now_ms)
        self._learn({one.type for one in running}, store)
        usual = {name: one.limit_ms for name, one in self._usual.items() if one.limit_ms is not None}
        return watchdogs.overdue(running, usual, now_ms, self._bounds)

    def _long(self, workers: Iterable[WorkerState], now_ms: int) -> list[Running]:
        """Those that have run for longer than the least."""
        since = {held: one.name for one in workers for held in one.held}
        long = [held for held in since if now_ms - held[1] // 1000 > self._bounds.overdue_least_ms]
        long = sorted(long, key=lambda held: held[1])[:_MOST_LOOKED_AT]
        self._running = {held: self._running[held] for held in long if held in self._running}
        unread = [held for held in long if held not in self._running]
        for at in range(0, len(unread), _AT_ONCE):
            part = unread[at : at + _AT_ONCE]
            for held, kept in zip(part, self._ledger.kept([id_ for id_, _ in part]), strict=True):
                if kept is not None and kept.record.fence == held[1]:
                    self._running[held] = Running(
                        held[0], _type_of(kept), since[held], kept.record.started_ms
                    )
        return list(self._running.values())

    def _learn(self, names: Iterable[str], store: Store) -> None:
        now_s = self._clock_s()
        self._usual = {name: one for name, one in self._usual.items() if one.until_s > now_s}
        unknown = sorted(name for name in names if name and name not in self._usual)
        for name in unknown[:_MOST_TYPES]:
            limit_ms = watchdogs.usual_ms(_durations_s(name, store), self._bounds.overdue_factor)
            self._usual[name] = _Usual(limit_ms, now_s + (_UNKNOWN_KEPT_S if limit_ms is None else _KEPT_S))


def _durations_s(name: str, store: Store) -> list[float]:
    """How long the newest attempts took with which jobs of a type completed."""
    query = JobQuery(
        type=frozenset(spellings(name)),
        status=frozenset({Status.COMPLETED.value}),
        sort=Sort.ENDED,
        limit=_SAMPLES,
    )
    documents = store.search(query).documents
    found = [document.get("job", {}).get("job_info", {}) for document in documents]
    return [_duration_s(info) for info in found if isinstance(info, dict)]


def _duration_s(info: dict[str, object]) -> float:
    duration = info.get("duration")
    if isinstance(duration, int | float):
        return float(duration)
    start, end = moments.ms_of(info.get("time_start")), moments.ms_of(info.get("time_end"))
    return (end - start) / 1000 if start and end else math.nan


def _type_of(kept: Kept) -> str:
    try:
        asked = json.loads(kept.spec)
    except ValueError:
        return ""
    name = asked.get("job_type") if isinstance(asked, dict) else None
    return name if isinstance(name, str) else ""
