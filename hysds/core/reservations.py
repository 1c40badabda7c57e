"""Reservations: a host that could take an old, large job only when empty is kept free for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hysds.core.floor import Floor
from hysds.core.ledger_clock import LedgerClock
from hysds.core.places import Top
from hysds.core.record import Record
from hysds.core.requests import Bid, Head


@dataclass(frozen=True, slots=True)
class Heads:
    """What a worker finds in the ready lists of its unpaused queues."""

    best: Top | None
    """The best that fits what is free."""
    large: Top | None
    """The best that fits only the empty host."""
    unknown: tuple[str, ...]
    """Shapes that the worker did not name."""

    @property
    def first(self) -> Top | None:
        """The better of the two."""
        return min((entry for entry in (self.best, self.large) if entry is not None), default=None)


@dataclass(slots=True)
class Reservations:
    """One a host and one a job, on the ledger's clock. `records`, `floor` and `clock` are the book's own."""

    records: dict[str, Record]
    floor: Floor
    clock: LedgerClock

    def keep_free(self, bid: Bid, heads: Heads, shown: Head | None) -> bool:
        """Whether the host takes nothing now, because an old job that needs more of it comes first."""
        if self.extend(bid.worker, heads, bid.lease_ms):
            return self.floor.workers[bid.worker].reserved != (heads.best.id if heads.best else "")
        if shown is None or shown.age_ms < bid.reserve_after_ms:
            return False
        record = self.records[shown.id]
        if record.reserved_by not in ("", bid.worker) and record.reserved_ms > self.clock.ms:
            return False
        self._reserve(record, bid.worker, bid.lease_ms)
        return True

    def extend(self, worker: str, heads: Heads, lease_ms: int) -> bool:
        """Longer, while the reserved job is ready and the head; else drops it. Answers whether it stands."""
        reserved = self.floor.workers[worker].reserved
        if not reserved:
            return False
        record = self.records.get(reserved)
        if (
            record is None
            or heads.first is None
            or heads.first.id != reserved
            or record.reserved_by != worker
        ):
            self.drop(worker)
            return False
        self._reserve(record, worker, lease_ms)
        return True

    def drop(self, worker: str) -> None:
        """The host is free for all again; a worker that nobody knows has none."""
        known = self.floor.workers.get(worker)
        if known is None or not known.reserved:
            return
        record = self.records.get(known.reserved)
        if record is not None and record.reserved_by == worker:
            self.records[record.id] = replace(record, reserved_by="", reserved_ms=0)
        self.floor.workers[worker] = replace(known, reserved="")

    def _reserve(self, record: Record, worker: str, lease_ms: int) -> None:
        self.records[record.id] = replace(record, reserved_by=worker, reserved_ms=self.clock.ms + lease_ms)
        known = self.floor.workers[worker]
        self.floor.workers[worker] = replace(known, reserved=record.id)
