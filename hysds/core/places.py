"""The ledger's sets: ready lists by queue and shape, due entries, leases.

Where a job stands follows from its record; an entry that contradicts its record is a stray, and is mended.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hysds.core import shapes
from hysds.core.record import Placement, Record, placement


class Top(NamedTuple):
    """The best entry of one ready list; the smallest is the best."""

    score: int
    id: str
    queue: str
    shape: str


@dataclass(slots=True)
class Places:
    """Kept in step with the records by `move`; nothing else writes here."""

    ready: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)
    """By (queue, shape), in order; a pair without entries is gone."""
    due: dict[str, int] = field(default_factory=dict)
    """Wall ms by id: at most one entry a job."""
    leases: dict[str, int] = field(default_factory=dict)
    """Ledger ms by id."""

    def enter(self, record: Record) -> None:
        """Put a job that stands nowhere where its record says."""
        self._place(record.id, placement(record))

    def move(self, old: Record, new: Record) -> None:
        """Take a job from where it stood to where it stands now."""
        before, after = placement(old), placement(new)
        if before == after:
            return
        if before.ready is not None:
            self._unready(before.ready[:2], (before.ready[2], old.id))
        self.due.pop(old.id, None)
        self.leases.pop(old.id, None)
        self._place(new.id, after)

    def tops(self, queues: Collection[str]) -> Iterator[Top]:
        """The best entry of each shape in these queues."""
        for (queue, shape), entries in self.ready.items():
            if queue in queues:
                yield Top(*entries[0], queue, shape)

    def unready(self, top: Top) -> None:
        """Take an entry out of its ready list."""
        self._unready((top.queue, top.shape), (top.score, top.id))

    def has_room(self, queue: str, shape: str) -> bool:
        """Whether a job of the shape may enter the queue; a queue has a bounded number of shapes."""
        if (queue, shape) in self.ready:
            return True
        return sum(name == queue for name, _ in self.ready) < shapes.MAX_SHAPES_PER_QUEUE

    def over(self, clock_ms: int) -> list[str]:
        """Ids whose lease ends by then (ledger ms), the oldest first."""
        return _until(self.leases, clock_ms)

    def due_by(self, wall_ms: int) -> list[str]:
        """Ids whose due entry is not later than that, the oldest first."""
        return _until(self.due, wall_ms)

    def settle(self, id: str, record: Record | None) -> None:
        """Make the due entry and the lease follow the record, and its own ready list (None: no such job)."""
        self.due.pop(id, None)
        self.leases.pop(id, None)
        if record is None:
            return
        should = placement(record)
        if should.ready is not None:
            self._unready(should.ready[:2], (should.ready[2], id))
        self._place(id, should)

    def mend(self, id: str, record: Record | None) -> str:
        """Make the sets follow the record (None: no such job); answers what was wrong, "" where nothing was."""
        pairs = [pair for pair, members in self.ready.items() if any(name == id for _, name in members)]
        ready = (*pairs[0], self._score(pairs[0], id)) if len(pairs) == 1 else None
        there = Placement(ready, self.due.get(id), self.leases.get(id))
        should = placement(record) if record is not None else Placement()
        if there == should and len(pairs) <= 1:
            return ""
        for pair in pairs:
            self._unready(pair, (self._score(pair, id), id))
        self.settle(id, record)
        return f"stood at {_words(there, len(pairs))}, belongs at {_words(should, 1)}"

    def _place(self, id: str, place: Placement) -> None:
        if place.ready is not None:
            queue, shape, score = place.ready
            bisect.insort(self.ready.setdefault((queue, shape), []), (score, id))
        if place.due is not None:
            self.due[id] = place.due
        if place.lease is not None:
            self.leases[id] = place.lease

    def _unready(self, pair: tuple[str, str], entry: tuple[int, str]) -> None:
        entries = self.ready.get(pair, [])
        if entry in entries:
            entries.remove(entry)
        if not entries:
            self.ready.pop(pair, None)

    def _score(self, pair: tuple[str, str], id: str) -> int:
        return next(score for score, name in self.ready[pair] if name == id)


def _until(scores: dict[str, int], end: int) -> list[str]:
    return [id for score, id in sorted((score, id) for id, score in scores.items()) if score <= end]


def _words(place: Placement, lists: int) -> str:
    names = [f"{lists} ready lists"] if lists > 1 else []
    if place.ready is not None:
        names.append(f"ready {place.ready[0]} {place.ready[1]} {place.ready[2]}")
    if place.due is not None:
        names.append(f"due {place.due}")
    if place.lease is not None:
        names.append(f"lease {place.lease}")
    return ", ".join(names) or "nowhere"
