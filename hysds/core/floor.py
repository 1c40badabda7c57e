"""The floor: which workers there are, what they announce, their inboxes, and who is woken for ready work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from hysds.core import shapes
from hysds.core.floor_requests import Announcement, Drain, Notice
from hysds.core.ledger_clock import LedgerClock
from hysds.core.places import Places
from hysds.core.record import Record, worker_name
from hysds.core.requests import Ready

INBOX_LENGTH = 1_000
"""Notices only hurry things: beyond this many the oldest are dropped."""

Made = Counter[tuple[str, str]]
"""How many jobs a step made ready, by (queue, shape)."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as the ledger knows it."""

    until_ms: int
    """Its announcement stands until then, on the ledger's clock."""
    announcement: Announcement | None = None
    pledged: int = 0
    """Slots that a wake in its inbox was meant to fill; 0 once it bids."""
    reserved: str = ""
    """The job that its host is kept free for."""


@dataclass(slots=True)
class Floor:
    """`records`, `places` and `clock` are the book's own, only read here."""

    records: Mapping[str, Record]
    places: Places
    clock: LedgerClock
    workers: dict[str, Worker] = field(default_factory=dict)
    inboxes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    drains: dict[str, Drain] = field(default_factory=dict)
    """Orders by worker name; they outlive every incarnation."""

    def meet(self, worker: str, until_ms: int) -> None:
        """Know a worker at least until then (ledger ms)."""
        known = self.workers.get(worker)
        if known is None:
            self.workers[worker] = Worker(until_ms)
        elif known.until_ms < until_ms:
            self.workers[worker] = replace(known, until_ms=until_ms)

    def bids(self, worker: str) -> None:
        """It bids now: what was pledged to it counts no longer."""
        self.workers[worker] = replace(self.workers[worker], pledged=0)

    def announces(self, worker: str, announcement: Announcement) -> None:
        """It says anew what it has free."""
        self.workers[worker] = replace(self.workers[worker], announcement=announcement, pledged=0)

    def drain_of(self, worker: str) -> Drain | None:
        """The order for its name: the announced one, or else what its incarnation begins with."""
        known = self.workers.get(worker)
        said = known.announcement if known is not None else None
        return self.drains.get(said.name if said is not None else worker_name(worker))

    def named(self, name: str) -> list[str]:
        """The announced incarnations of a worker, in order."""
        return [
            worker
            for worker, known in sorted(self.workers.items())
            if known.announcement is not None and known.announcement.name == name
        ]

    def drop(self, worker: str) -> None:
        """It is gone, and its inbox with it."""
        self.workers.pop(worker, None)
        self.inboxes.pop(worker, None)

    def silent(self) -> list[str]:
        """Workers whose announcement is over, the oldest first."""
        over = ((worker.until_ms, name) for name, worker in self.workers.items())
        return [name for until_ms, name in sorted(over) if until_ms <= self.clock.ms]

    def held_by(self, worker: str) -> list[Record]:
        """The records under its leases, by id."""
        held = (self.records.get(id) for id in sorted(self.places.leases))
        return [record for record in held if record is not None and record.owner == worker]

    def tell(self, worker: str, notice: str) -> None:
        """Put a notice into its inbox, if it is known."""
        if worker in self.workers:
            self.inboxes[worker] = (*self.inboxes.get(worker, ()), notice)[-INBOX_LENGTH:]

    def tell_of(self, notice: Notice, record: Record) -> None:
        """Tell the owner of a lease what became of that very lease."""
        self.tell(record.owner, f"{notice.value} {record.id} {record.fence}")

    def announce(self, made: Made, paused: Collection[str]) -> tuple[Ready, ...]:
        """Wake idle workers for jobs that became ready; answer, by queue, how many were heard by nobody."""
        jobs: Counter[str] = Counter()
        unheard: Counter[str] = Counter()
        for (queue, shape), count in sorted(made.items()):
            jobs[queue] += count
            if queue not in paused:
                unheard[queue] += self._wake_idle(queue, shape, count)
        return tuple(
            Ready(queue, jobs[queue], unheard[queue], len(self._hearers(queue))) for queue in sorted(jobs)
        )

    def _wake_idle(self, queue: str, shape: str, count: int) -> int:
        """Pledge free slots of workers that hear the queue; answers how many jobs found none."""
        for name, announcement in self._hearers(queue):
            if shape in announcement.fit.never:
                continue
            slots = _slots(shape, announcement)
            taken = min(count, self._idle_slots(name, announcement) // slots)
            if taken > 0:
                self._pledge(name, taken * slots)
                count -= taken
            if count == 0:
                break
        return count

    def _pledge(self, name: str, slots: int) -> None:
        worker = self.workers[name]
        if worker.pledged == 0:
            self.tell(name, Notice.WAKE.value)
        self.workers[name] = replace(worker, pledged=worker.pledged + slots)

    def _idle_slots(self, name: str, announcement: Announcement) -> int:
        busy = sum(_slots(record.shape, announcement) for record in self.held_by(name))
        return announcement.slots - busy - self.workers[name].pledged

    def _hearers(self, queue: str) -> list[tuple[str, Announcement]]:
        """Workers whose announcement stands and names the queue, by name; none that is drained."""
        return [
            (name, worker.announcement)
            for name, worker in sorted(self.workers.items())
            if worker.announcement is not None
            and queue in worker.announcement.queues
            and worker.announcement.slots > 0
            and worker.until_ms > self.clock.ms
            and self.drain_of(name) is None
        ]


def _slots(shape: str, announcement: Announcement) -> int:
    """The slots that a job takes of a worker: all of them where it runs alone."""
    slots = shapes.decode(shape).slots
    return max(slots, announcement.slots) if shapes.is_alone(shape) else slots
