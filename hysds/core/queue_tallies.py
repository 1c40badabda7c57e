"""What is known of a queue beside its ready list: how many of its jobs run and wait, how many came and went of late,
whether it is paused and why, and when it is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hysds.core.places import Places
from hysds.core.record import GROUP, Record
from hysds.core.status import Status

MINUTES = 6
"""A meter counts by the minute: in the present one and the five before."""

QUIET_MS = 600_000
"""How long a queue without a live job and without a pause is still known, for its rates."""

BUSY = 1 << 52
"""In place of the time when a queue is forgotten, while it is in use."""

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing of a queue is claimed, and since when (wall ms)."""

    since_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Meter:
    """Jobs counted by the minute of the ledger server's wall clock; `counts` begin with `minute` and go back."""

    minute: int = 0
    counts: tuple[int, ...] = (0,) * MINUTES

    def plus(self, now_ms: int) -> Meter:
        """One more, now. A clock that was set back counts it into the newest minute."""
        ahead = max(now_ms // _MINUTE_MS - self.minute, 0)
        newest, *others = ((0,) * min(ahead, MINUTES) + self.counts)[:MINUTES]
        return Meter(self.minute + ahead, (newest + 1, *others))

    def per_minute(self, now_ms: int) -> float:
        """The mean rate since the beginning of the fifth minute before this one."""
        passed = max(now_ms // _MINUTE_MS - self.minute, 0)
        elapsed = MINUTES - 1 + now_ms % _MINUTE_MS / _MINUTE_MS
        return sum(self.counts[: max(MINUTES - passed, 0)]) / elapsed


@dataclass(frozen=True, slots=True)
class QueueTally:
    """A queue at one moment."""

    queue: str
    ready: int = 0
    """Jobs that may be claimed, or might if it were not paused."""
    oldest_ms: int = 0
    """When the one of them that has been ready longest became so, wall ms; 0: there is none."""
    running: int = 0
    waiting: tuple[tuple[str, int], ...] = ()
    """(for what, how many jobs), by the first word of their reasons."""
    came: Meter = Meter()
    """Accepted jobs."""
    went: Meter = Meter()
    """Jobs that ended."""
    pause: Pause | None = None


@dataclass(slots=True)
class QueueTallies:
    """`records`, `places` and `paused` are the book's own, only read here."""

    records: Mapping[str, Record]
    places: Places
    paused: Mapping[str, Pause]
    touched: dict[str, int] = field(default_factory=dict)
    """When something of a queue last changed, wall ms."""
    came: dict[str, Meter] = field(default_factory=dict)
    went: dict[str, Meter] = field(default_factory=dict)

    def moved(self, old: Record | None, new: Record, now_ms: int) -> None:
        """A job entered (`old` of None) or changed."""
        before, after = _standing(old), _standing(new)
        if before == after:
            return
        for standing in (before, after):
            if standing is not None:
                self.touch(standing[0], now_ms)
        if old is None and after is not None:
            self.came[after[0]] = self.came.get(after[0], Meter()).plus(now_ms)
        if before is not None and after is None:
            self.went[before[0]] = self.went.get(before[0], Meter()).plus(now_ms)

    def touch(self, queue: str, now_ms: int) -> None:
        """Something changed."""
        self.touched[queue] = now_ms

    def known(self) -> dict[str, int]:
        """All queues, with the wall ms after which each is forgotten, or BUSY."""
        busy = {record.queue for record in self.records.values() if _standing(record)}
        busy |= set(self.paused)
        return {queue: BUSY if queue in busy else at + QUIET_MS for queue, at in self.touched.items()}

    def forget(self, now_ms: int, limit: int) -> None:
        """Drop those that were not used for long, the oldest first."""
        over = sorted((until_ms, queue) for queue, until_ms in self.known().items() if until_ms <= now_ms)
        for _, queue in over[:limit]:
            for shelf in (self.touched, self.came, self.went):
                shelf.pop(queue, None)

    def all(self) -> tuple[QueueTally, ...]:
        """Every queue that is known, by name."""
        ready = {queue for queue, _ in self.places.ready}
        return tuple(self._one(queue) for queue in sorted(ready | set(self.touched)))

    def _one(self, queue: str) -> QueueTally:
        mine = [record for record in self.records.values() if record.queue == queue and record.kind != GROUP]
        ready = [record.ready_ms for record in mine if record.status is Status.QUEUED]
        waiting = Counter(word_of(record.reason) for record in mine if record.status is Status.WAITING)
        return QueueTally(
            queue=queue,
            ready=len(ready),
            oldest_ms=min(ready, default=0),
            running=sum(record.status is Status.STARTED for record in mine),
            waiting=tuple(sorted(waiting.items())),
            came=self.came.get(queue, Meter()),
            went=self.went.get(queue, Meter()),
            pause=self.paused.get(queue),
        )


def word_of(reason: str) -> str:
    """What a waiting job waits for, without the name behind it: `limit` of `limit user:ann`."""
    return reason.partition(" ")[0]


def _standing(record: Record | None) -> tuple[str, Status, str] | None:
    """What of a job its queue counts; None for one that is not live, or stands in no queue, as a group."""
    if record is None or record.status.is_terminal or not record.queue or record.kind == GROUP:
        return None
    return record.queue, record.status, word_of(record.reason) if record.status is Status.WAITING else ""
