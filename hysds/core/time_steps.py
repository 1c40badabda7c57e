"""The steps that come with time: waking what is due, and ending what ran out or whose worker is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from hysds.core import transitions
from hysds.core.floor import Made
from hysds.core.floor_requests import Notice
from hysds.core.line_steps import CALLS_AT_ONCE, LineSteps
from hysds.core.record import Placement, Record, half_over, overdue, placement
from hysds.core.requests import Moved
from hysds.core.status import Status


class TimeSteps(LineSteps):
    """What a reconciler calls again and again."""

    def wake(self, limit: int, now_us: int) -> Moved:
        """Waiting jobs whose time has come are ready."""
        self.tick(now_us)
        made: Made = Counter()
        answers = []
        due = self.places.due_by(now_us // 1000)
        for id in due[:limit]:
            record = self._record_due(id)
            if record is None or record.status is not Status.WAITING or overdue(record, now_us // 1000):
                continue
            new = self._kept_back(transitions.woken(record, now_us))
            self._put(record, new, "wake")
            if new.status is Status.QUEUED:
                made[new.queue, new.shape] += 1
            answers.append((id, new.status.value))
        self.throttles.touch_late(limit)
        answers += self._call(min(limit - len(answers), CALLS_AT_ONCE))
        ready = self._announce(made)
        return Moved(tuple(answers), ready, len(due) > limit or self.throttles.is_behind())

    def suspect(self, limit: int, now_us: int) -> Moved:
        """Jobs of whose lease less than half is left are shown as `job-offline`."""
        self.tick(now_us)
        silent = []
        for id in list(self.places.leases):
            record = self._record_leased(id)
            if record is not None and not record.suspect and half_over(record, self.clock.ms):
                silent.append(record)
        silent.sort(key=lambda record: (record.lease_ms, record.id))
        for record in silent[:limit]:
            self._put(record, transitions.suspected(record, now_us), "suspect")
        answers = tuple((record.id, Status.STARTED.value) for record in silent[:limit])
        return Moved(answers, (), len(silent) > limit)

    def expire(self, limit: int, now_us: int) -> Moved:
        """Leases past their end come back; unclaimed jobs past ttl or deadline fail; silent workers are forgotten."""
        self.tick(now_us)
        made: Made = Counter()
        answers = []
        over = self.places.over(self.clock.ms)
        for id in over[:limit]:
            record = self._record_leased(id)
            if record is not None:
                answers.append((id, self._lose(record, now_us, made)))
        room = limit - len(answers)
        due = self.places.due_by(now_us // 1000)
        for id in due[:room]:
            record = self._record_due(id)
            if record is not None and overdue(record, now_us // 1000):
                new = transitions.outlived(record, now_us)
                self._put(record, new, "expire")
                answers.append((id, new.status.value))
        silent = self.floor.silent()
        self._drop_silent(silent[:limit])
        more = len(over) > limit or len(due) > room or len(silent) > limit
        return Moved(tuple(answers), self._announce(made), more)

    def _drop_silent(self, silent: Sequence[str]) -> None:
        """Forget workers whose announcement is over and who hold nothing."""
        for name in silent:
            if not self.floor.held_by(name):
                self._drop_worker(name)

    def _drop_worker(self, worker: str) -> None:
        self.reservations.drop(worker)
        self.floor.drop(worker)

    def _record_leased(self, id: str) -> Record | None:
        """The record behind an entry of the leases; a stray entry is mended, and answers None."""
        return self._followed(id, lambda place: place.lease == self.places.leases[id])

    def _record_due(self, id: str) -> Record | None:
        return self._followed(id, lambda place: place.due == self.places.due[id])

    def _followed(self, id: str, agrees: Callable[[Placement], bool]) -> Record | None:
        record = self.records.get(id)
        if record is not None and agrees(placement(record)):
            return record
        self.places.settle(id, record)
        return None

    def _lose(self, record: Record, now_us: int, made: Made) -> str:
        new = transitions.lost(record, now_us)
        self.floor.tell_of(Notice.LOST, record)
        entry = transitions.attempt(record, "worker-lost", now_us)
        self._leave_started(record, new, "expire", entry, made)
        return new.status.value

    def leave(self, worker: str, now_us: int) -> Moved:
        """A worker is gone, by its own word or proved dead: its leases end as if they had run out."""
        self.tick(now_us)
        made: Made = Counter()
        held = self.floor.held_by(worker)
        answers = tuple((record.id, self._lose(record, now_us, made)) for record in held)
        self._drop_worker(worker)
        return Moved(answers, self._announce(made))
