"""The duty over the store's indices: new jobs get new ones in time, and old ones are dropped whole.

Any number of reconcilers may do it side by side, and each may die between any two steps: an index is made before its
generation is current, a generation is given up before its indices are dropped, and the ledger's numbers only go up. A
look begins with what an unfinished one left.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hysds.core.errors import Unreachable
from hysds.core.generations import Generations
from hysds.core.metric_names import Metric
from hysds.core.metric_series import Values
from hysds.core.record import Record
from hysds.ports.indices import ROLLED, Index, Indices
from hysds.ports.ledger import Ledger
from hysds.ports.metrics import Metrics

_PAGE = 500
_WALK_AGAIN_S = 600.0
"""After a walk through the ledger that found a job which keeps an old index: it may keep it for days."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """When indices are rolled over and dropped. `retention_ms`: None, never."""

    size_bytes: int
    age_ms: int
    retention_ms: int | None


class Upkeep:
    """One process's look after the indices. `clock_s` never goes back."""

    def __init__(
        self,
        ledger: Ledger,
        indices: Indices,
        bounds: Bounds,
        clock_s: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
    ) -> None:
        """`metrics`: None where nobody reads them."""
        self._metrics = metrics
        self._ledger = ledger
        self._indices = indices
        self._bounds = bounds
        self._clock_s = clock_s
        self._walks_at_s = 0.0
        self._is_reachable = True

    def __call__(self) -> int:
        """One look; how many generations came or went. A store that does not answer is looked at again next time: it
        must keep no other duty from being done.
        """
        try:
            done = self.look()
        except Unreachable as error:
            if self._is_reachable:
                _log.warning("indices are neither rolled over nor dropped: %s", error)
            self._is_reachable = False
            self._tell(())
            return 0
        if not self._is_reachable:
            _log.info("indices are looked after again")
        self._is_reachable = True
        return done

    def look(self) -> int:
        """Raises: Unreachable"""
        known, every = self._ledger.generations(), self._indices.all()
        self._tell(every)
        found = rolled(every)
        if not found:
            return 0  # whoever writes first makes them
        # By the clock that is behind: an index is made on the store's, and where that is hours behind the ledger's each
        # new index would be rolled over at once, and old ones dropped early.
        now_ms = min([self._ledger.now_ms(), *(one.asked_ms for one in found if one.asked_ms is not None)])
        known, came = self._rolled_over(known, found, now_ms)
        goal = self._given_up(known, found, now_ms)
        if goal > known.oldest:
            known = self._ledger.roll(0, goal)
        return came + self._drop(known, found)

    def _rolled_over(
        self, known: Generations, found: Sequence[Index], now_ms: int
    ) -> tuple[Generations, int]:
        newest = max(one.generation for one in found)
        if newest > known.current:
            # Made by a reconciler that died before it said so, or in the life of a ledger that was lost.
            return self._ledger.roll(newest, 0), newest - known.current
        if not is_full(found, known.current, self._bounds, now_ms):
            return known, 0
        goal = known.current + 1
        self._indices.init(known.oldest, goal)
        _log.info(
            "jobs are born in generation %d of the indices from now on", goal, extra={"action": "rollover"}
        )
        if self._metrics is not None:
            self._metrics.count(Metric.ROLLOVERS)
        return self._ledger.roll(goal, 0), 1

    def _given_up(self, known: Generations, found: Sequence[Index], now_ms: int) -> int:
        """The oldest generation to keep."""
        goal = oldest_kept(found, known, self._bounds, now_ms)
        if goal <= known.oldest or self._clock_s() < self._walks_at_s:
            return known.oldest
        first = first_needed(self._ledger, below=goal)
        if first < goal:
            self._walks_at_s = self._clock_s() + _WALK_AGAIN_S
        return max(min(goal, first), known.oldest)

    def _drop(self, known: Generations, found: Sequence[Index]) -> int:
        gone = set()
        for one in found:
            if known.is_dropped(one.generation) and self._indices.drop(one.resource, one.generation):
                gone.add(one.generation)
                if self._metrics is not None:
                    self._metrics.count(Metric.RETIRED, resource=one.resource.value)
                _log.warning(
                    "index of %s documents, generation %d, was dropped with %d documents: its time is over",
                    one.resource.value, one.generation, one.documents,
                    extra={"action": "retention", "generation": one.generation},
                )  # fmt: skip
        return len(gone)

    def _tell(self, every: Sequence[Index]) -> None:
        if self._metrics is None:
            return
        numbers: dict[Metric, Counter[Values]] = {
            metric: Counter() for metric in (Metric.INDICES, Metric.INDEX_DOCUMENTS, Metric.INDEX_BYTES)
        }
        for one in every:
            resource = (one.resource.value,)
            numbers[Metric.INDICES][resource] += 1
            numbers[Metric.INDEX_DOCUMENTS][resource] += one.documents
            numbers[Metric.INDEX_BYTES][resource] += one.size_bytes
        for metric, rows in numbers.items():
            self._metrics.table(metric, rows)


def rolled(found: Sequence[Index]) -> tuple[Index, ...]:
    """Those of which there is one a generation."""
    return tuple(one for one in found if one.resource in ROLLED)


def is_full(found: Sequence[Index], current: int, bounds: Bounds, now_ms: int) -> bool:
    """Whether new jobs should be born in new indices."""
    return any(
        one.size_bytes >= bounds.size_bytes or (one.documents > 0 and now_ms - one.born_ms >= bounds.age_ms)
        for one in found
        if one.generation == current
    )


def oldest_kept(found: Sequence[Index], known: Generations, bounds: Bounds, now_ms: int) -> int:
    """The oldest generation whose time is not over, or that shows a job as live."""
    if bounds.retention_ms is None:
        return known.oldest
    for generation in range(known.oldest, known.current):
        live = sum(one.live for one in found if one.generation == generation)
        if live or now_ms - _closed_ms(found, generation, now_ms) < bounds.retention_ms:
            return generation
    return known.current


def _closed_ms(found: Sequence[Index], generation: int, now_ms: int) -> int:
    """When the next was made; a ledger that was lost may have begun with an old number again, in a younger index."""
    next_ms = min((one.born_ms for one in found if one.generation > generation), default=now_ms)
    return max([next_ms, *(one.born_ms for one in found if one.generation == generation)])


def first_needed(ledger: Ledger, below: int) -> int:
    """The lowest generation that a record still needs, as its job has not ended, or its last document may not be
    written; `below` where none below that is needed.
    """
    first, cursor = below, ""
    while True:
        cursor, ids = ledger.ids(cursor, _PAGE)
        held = (one.record for one in ledger.kept(ids) if one is not None)
        first = min([first, *(record.generation for record in held if _needs_index(record))])
        if not cursor:
            return first


def _needs_index(record: Record) -> bool:
    return not (record.status.is_terminal and record.confirmed)
