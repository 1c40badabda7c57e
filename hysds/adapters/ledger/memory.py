"""The ledger in memory: the book behind a lock, with the time as an argument. For one process, and for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hysds.adapters.ledger import batches
from hysds.core.book import Book
from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.generations import Generations
from hysds.core.limit_keys import LimitState
from hysds.core.queue_tallies import QueueTally
from hysds.core.requests import (
    Acceptance,
    Accepted,
    Answer,
    Bid,
    Claimed,
    Commit,
    Committed,
    Moved,
    Place,
    Purge,
    Purged,
    Renewal,
    Renewed,
    Staging,
)
from hysds.ports.ledger import Kept, Pulse, QueueState


def wall_us() -> int:
    """Wall-clock time in µs since 1970."""
    return time.time_ns() // 1_000


class MemoryLedger:
    """Safe to share between threads.

    `retention_ms` is how long an ended, confirmed record stays; `now_us` is the server's time in µs since 1970.
    """

    def __init__(self, retention_ms: int, now_us: Callable[[], int] = wall_us) -> None:
        self.book = Book()
        self.changed = threading.Condition()
        """Held during each step, and notified after it."""
        self.is_closed = False
        self._retention_ms = retention_ms
        self._now_us = now_us

    def accept(self, batch: Sequence[Acceptance]) -> Accepted:
        return batches.accepted(batch, self._accept)

    def _accept(self, batch: Sequence[Acceptance]) -> Accepted:
        with self._step() as now_us:
            return self.book.accept(batch, self._retention_ms, now_us)

    def stage(self, group: str, first: int, items: Sequence[Acceptance]) -> Staging:
        return batches.staged(items, lambda at, part: self._stage(group, first + at, part))

    def _stage(self, group: str, first: int, items: Sequence[Acceptance]) -> Staging:
        with self._step() as now_us:
            return self.book.stage(group, first, items, now_us)

    def seal(self, group: str) -> Staging:
        with self._step() as now_us:
            return self.book.seal(group, now_us)

    def settle(self, limit: int, only: str = "") -> Moved:
        with self._step() as now_us:
            return self.book.settle(limit, only, now_us)

    def reject(self, item: Acceptance, error: str) -> Answer:
        with self._step() as now_us:
            return self.book.reject(item, error, now_us)

    def claim(self, bid: Bid) -> Claimed:
        with self._step() as now_us:
            return self.book.claim(bid, now_us)

    def renew(self, renewal: Renewal) -> Renewed:
        with self._step() as now_us:
            return self.book.renew(renewal, now_us)

    def commit(self, commit: Commit, bid: Bid | None = None) -> Committed:
        with self._step() as now_us:
            return self.book.commit(commit, bid, now_us)

    def release(self, id: str, fence: int, delay_ms: int = 0, detail: str = "") -> Moved:
        with self._step() as now_us:
            return self.book.release(id, fence, delay_ms, detail, now_us)

    def cancel(self, ids: Sequence[str]) -> Moved:
        return batches.moved(ids, self._cancel)

    def _cancel(self, ids: Sequence[str]) -> Moved:
        with self._step() as now_us:
            return self.book.cancel(ids, now_us)

    def wake(self, limit: int) -> Moved:
        with self._step() as now_us:
            return self.book.wake(limit, now_us)

    def suspect(self, limit: int) -> Moved:
        with self._step() as now_us:
            return self.book.suspect(limit, now_us)

    def expire(self, limit: int) -> Moved:
        with self._step() as now_us:
            return self.book.expire(limit, now_us)

    def amend(self, ids: Sequence[str], queue: str = "", priority: int | None = None) -> Moved:
        return batches.moved(ids, lambda part: self._amend(part, queue, priority))

    def _amend(self, ids: Sequence[str], queue: str, priority: int | None) -> Moved:
        with self._step() as now_us:
            return self.book.amend(ids, queue, priority, now_us)

    def pause(self, queue: str, reason: str = "") -> None:
        with self._step() as now_us:
            self.book.pause(queue, reason, now_us)

    def resume(self, queue: str) -> Moved:
        with self._step() as now_us:
            return self.book.resume(queue, now_us)

    def confirm(self, written: Sequence[tuple[str, int]]) -> tuple[bool, ...]:
        answers: list[bool] = []
        for part in batches.parts(written):
            with self._step() as now_us:
                answers += [
                    self.book.confirm(id, revision, self._retention_ms, now_us) for id, revision in part
                ]
        return tuple(answers)

    def retirable(self, limit: int) -> tuple[str, ...]:
        with self._step() as now_us:
            return self.book.retirable(limit, now_us)

    def forget(self, ids: Sequence[str]) -> tuple[str, ...]:
        gone: list[str] = []
        for part in list(batches.parts(ids)) or [()]:
            with self._step() as now_us:
                gone += self.book.forget(part, now_us)
        return tuple(gone)

    def purge(self, wanted: Sequence[Purge]) -> tuple[Purged, ...]:
        answers: list[Purged] = []
        for part in batches.parts(wanted):
            with self._step() as now_us:
                answers += self.book.purge(part, now_us)
        return tuple(answers)

    def touch(self, id: str, above: int) -> int:
        with self._step() as now_us:
            return self.book.touch(id, above, now_us)

    def generations(self) -> Generations:
        with self.changed:
            return self.book.generations

    def roll(self, current: int, oldest: int) -> Generations:
        with self._step() as now_us:
            return self.book.roll(current, oldest, now_us)

    def leave(self, worker: str) -> Moved:
        with self._step() as now_us:
            return self.book.leave(worker, now_us)

    def audit(self, cursor: str, limit: int) -> tuple[str, tuple[tuple[str, str], ...]]:
        with self._step() as now_us:
            self.book.tick(now_us)
            places = self.book.places
            standing = {id for entries in places.ready.values() for _, id in entries}
            standing |= self.book.throttles.ids()
            ids = sorted(standing | {*self.book.records, *places.due, *places.leases})
            page = [id for id in ids if id > cursor][:limit]
            found = [(id, what) for id in page if (what := self.book.audit(id, now_us))]
            return page[-1] if page and page[-1] != ids[-1] else "", tuple(found)

    def kept(self, ids: Sequence[str]) -> tuple[Kept | None, ...]:
        with self.changed:
            return tuple(self._kept(id) for id in ids)

    def _kept(self, id: str) -> Kept | None:
        record = self.book.records.get(id)
        if record is None:
            return None
        return Kept(record, self.book.specs[id], self.book.attempts.get(id, ()), self.book.errors.get(id, ""))

    def ids(self, cursor: str, limit: int) -> tuple[str, tuple[str, ...]]:
        with self.changed:
            page = sorted(id for id in self.book.records if id > cursor)[: max(limit, 1)]
            is_last = not page or page[-1] == max(self.book.records)
            return "" if is_last else page[-1], tuple(page)

    def queues(self) -> tuple[QueueState, ...]:
        with self.changed:
            ready = dict.fromkeys(self.book.paused, 0)
            for (queue, _), entries in self.book.places.ready.items():
                ready[queue] = ready.get(queue, 0) + len(entries)
            return tuple(
                QueueState(queue, ready[queue], queue in self.book.paused) for queue in sorted(ready)
            )

    def tallies(self) -> tuple[QueueTally, ...]:
        with self.changed:
            return self.book.queues.all()

    def pulse(self) -> Pulse:
        with self.changed:
            places = self.book.places
            return Pulse("memory", 0, None, len(places.leases), len(places.due))

    def drain(self, drain: Drain) -> tuple[str, ...]:
        with self._step() as now_us:
            return self.book.drain(drain, now_us)

    def undrain(self, name: str) -> bool:
        with self._step() as now_us:
            return self.book.undrain(name, now_us)

    def drains(self) -> tuple[Drain, ...]:
        with self.changed:
            return tuple(drain for _, drain in sorted(self.book.floor.drains.items()))

    def workers(self) -> tuple[WorkerState, ...]:
        with self.changed:
            return self.book.worker_states(self._now_us())

    def place(self, id: str) -> Place | None:
        with self.changed:
            return self.book.place(id, self._now_us())

    def limits(self, keys: Sequence[str]) -> tuple[LimitState, ...]:
        with self.changed:
            return self.book.limit_states(keys, self._now_us())

    def listen(self, worker: str, timeout_s: float) -> tuple[str, ...]:
        inboxes = self.book.floor.inboxes
        with self.changed:
            self.changed.wait_for(lambda: self.is_closed or worker in inboxes, timeout_s)
            return inboxes.pop(worker, ())

    def now_ms(self) -> int:
        return self._now_us() // 1000

    def close(self) -> None:
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()

    @contextmanager
    def _step(self) -> Iterator[int]:
        """The time of one step, with the book to ourselves."""
        with self.changed:
            yield self._now_us()
            self.changed.notify_all()
