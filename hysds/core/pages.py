"""What one ledger holds, and how every step writes it: the record, its places, its key and the event, together."""

from __future__ import annotations

from collections import Counter

from hysds.core.dedup_keys import DedupKeys
from hysds.core.floor import Floor, Made
from hysds.core.generations import Generations
from hysds.core.kin import ROOM, Kin
from hysds.core.ledger_clock import LedgerClock
from hysds.core.places import Places
from hysds.core.queue_tallies import Pause, QueueTallies
from hysds.core.record import Attempt, Record, shown_status
from hysds.core.requests import Event, Ready
from hysds.core.reservations import Reservations
from hysds.core.status import Status
from hysds.core.throttles import Throttles


class Pages:
    """All that one ledger holds. Not for more than one thread."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.specs: dict[str, str] = {}
        self.attempts: dict[str, tuple[Attempt, ...]] = {}
        self.errors: dict[str, str] = {}
        self.paused: dict[str, Pause] = {}
        self.retire: dict[str, int] = {}
        """Wall ms after which a confirmed record may go, by id."""
        self.events: list[Event] = []
        self.generations = Generations()
        self.clock = LedgerClock()
        self.now_us = 0
        """Of this step."""
        self.places = Places()
        self.throttles = Throttles(self.clock)
        self.called: Made = Counter()
        """Whom this step called to the ready, so far."""
        self.kin = Kin()
        self.keys = DedupKeys(self.records)
        self.floor = Floor(self.records, self.places, self.clock)
        self.queues = QueueTallies(self.records, self.places, self.paused)
        self.reservations = Reservations(self.records, self.floor, self.clock)

    def tick(self, now_us: int) -> None:
        """Let time pass on the ledger's clock; every step begins with it."""
        self.clock.tick(now_us)
        self.now_us = now_us
        self.kin.room = ROOM

    def _enter(self, record: Record, spec: str, step: str) -> None:
        self.records[record.id] = record
        self.specs[record.id] = spec
        self.places.enter(record)
        self.throttles.move(None, record)
        self.kin.enters(record)
        self.queues.moved(None, record, self.clock.wall_ms)
        self._publish(record, step)

    def _put(self, old: Record, new: Record, step: str) -> None:
        """Store a record, move it among the sets, let go of its key where it ended, and tell the stream."""
        self.places.move(old, new)
        self.throttles.move(old, new)
        self.records[new.id] = new
        self.queues.moved(old, new, self.clock.wall_ms)
        if new.status.is_terminal and not old.status.is_terminal:
            self.keys.settle(new)
        self._tell_kin(old, new)
        if new.revision != old.revision:
            self._publish(new, step)

    def _tell_kin(self, old: Record, new: Record) -> None:
        self.kin.moves(old, new)

    def _follow(self, made: Made) -> None:
        """What the step means to other jobs, before it ends: `KinSteps` knows."""

    def _call_next(self) -> None:
        """Whom it calls to the ready, as a place or a token is free now: `LineSteps` knows."""

    def _publish(self, record: Record, step: str) -> None:
        self.events.append(Event(record.id, record.revision, record.fence, shown_status(record), step))

    def _announce(self, made: Made) -> tuple[Ready, ...]:
        self._follow(made)
        self._call_next()
        made.update(self.called)
        self.called.clear()
        return self.floor.announce(made, self.paused)

    def _leave_started(self, old: Record, new: Record, step: str, entry: Attempt | None, made: Made) -> None:
        """Every way out of *started*: the attempt is written down, and what became ready is counted."""
        if entry is not None:
            self.attempts[old.id] = (*self.attempts.get(old.id, ()), entry)
        self._put(old, new, step)
        if new.status is Status.QUEUED:
            made[new.queue, new.shape] += 1
