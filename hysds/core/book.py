"""The ledger as a data structure: every transition over plain dictionaries, with the time as an argument.

This is the memory ledger, the model that the exhaustive search walks through, and the reference that the Lua scripts
are compared with. The steps stand in five files by who takes them: a submitter here, a worker in `lease_steps`, a
reconciler in `time_steps`, an operator of jobs or the store in `upkeep_steps`, one of workers in `floor_steps`. What a
step does to a record is decided in
`transitions`; where a job stands, which key it holds and who hears of it in `places`, `dedup_keys`, `floor` and
`reservations`. Each rule of the ledger that can be left out stands in a small method of its own, so that a mutant,
which overrides one, shows what the rule is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hysds.core import ids, transitions
from hysds.core.dedup_keys import Key
from hysds.core.floor import Made, Worker
from hysds.core.floor_requests import Notice
from hysds.core.floor_steps import FloorSteps
from hysds.core.lease_steps import LeaseSteps
from hysds.core.record import Record
from hysds.core.requests import Acceptance, Accepted, Accepting, Answer, Moved
from hysds.core.status import Status
from hysds.core.time_steps import TimeSteps
from hysds.core.upkeep_steps import UpkeepSteps

__all__ = ["Book", "Key", "Worker"]


class Book(LeaseSteps, TimeSteps, UpkeepSteps, FloorSteps):
    """One ledger, with every step. Not for more than one thread."""

    def accept(self, batch: Sequence[Acceptance], retention_ms: int, now_us: int) -> Accepted:
        """Take jobs in, in order; a repeat of an accepted one reads its answer from the record."""
        self.tick(now_us)
        made: Made = Counter()
        answers = []
        for item in batch:
            answer = self._accept(item, retention_ms, now_us)
            answers.append(answer)
            if answer.how is Accepting.ACCEPTED and answer.status == Status.QUEUED.value:
                made[item.queue, item.shape] += 1
        return Accepted(tuple(answers), self._announce(made))

    def _accept(self, item: Acceptance, retention_ms: int, now_us: int) -> Answer:
        known = self.records.get(item.id)
        if known is not None:
            return self._repeated(known, item)
        made_ms = ids.made_ms(ids.JobId(item.id))
        if made_ms is not None and made_ms < now_us // 1000 - retention_ms:
            return Answer(Accepting.TOO_OLD)
        retried = self.records.get(item.retry_of)
        if retried is not None and not self._may_retry(retried):
            return Answer(Accepting.NOT_ENDED, retried.status.value)
        twin = self.keys.twin(item, now_us // 1000)
        if twin is not None and not item.may_repeat:
            record = transitions.deduped(item, twin, self.generation, now_us)
            self._enter(record, item.spec, "accept")
            return Answer(Accepting.DEDUPED, record.status.value, *twin)
        if not self.places.has_room(item.queue, item.shape):
            return Answer(Accepting.FULL)
        record = transitions.accepted(item, self.generation, now_us)
        self.keys.take(item, now_us // 1000)
        self._enter(record, item.spec, "accept")
        if retried is not None:
            self._link(retried, item.id, now_us)
        return Answer(Accepting.ACCEPTED, record.status.value, *(twin or ()))

    def _may_retry(self, record: Record) -> bool:
        return record.status.is_terminal

    def _link(self, retried: Record, by: str, now_us: int) -> None:
        """Tell an ended job which one does it again; the store must have that before the record may go."""
        self.retire.pop(retried.id, None)
        self._put(retried, transitions.retried(retried, by, now_us), "retry")

    def reject(self, item: Acceptance, error: str, now_us: int) -> Answer:
        """A refused submission that came with an id of its own ends here, where everybody can see why."""
        self.tick(now_us)
        known = self.records.get(item.id)
        if known is not None:
            return self._repeated(known, item)
        record = transitions.rejected(item, self.generation, now_us)
        self._enter(record, item.spec, "reject")
        self.errors[item.id] = error
        return Answer(Accepting.ACCEPTED, record.status.value)

    def _repeated(self, known: Record, item: Acceptance) -> Answer:
        if known.digest != item.digest:
            return Answer(Accepting.CONFLICT, known.status.value)
        return Answer(Accepting.REPEATED, known.status.value, known.dedup_job, known.dedup_status)

    def cancel(self, ids_: Sequence[str], now_us: int) -> Moved:
        """Unclaimed jobs are revoked; started ones marked, and their workers told."""
        self.tick(now_us)
        return Moved(tuple((id, self._cancel(id, now_us)) for id in ids_))

    def _cancel(self, id: str, now_us: int) -> str:
        record = self.records.get(id)
        if record is None:
            return "missing"
        if record.status.is_terminal:
            return "ended"
        if record.status is Status.STARTED:
            if not record.cancel:
                self._put(record, transitions.cancelled(record, now_us), "cancel")
            self.floor.tell_of(Notice.CANCEL, record)
            return Status.STARTED.value
        self._put(record, transitions.cancelled(record, now_us), "cancel")
        return Status.REVOKED.value

    def amend(self, ids_: Sequence[str], queue: str, priority: int | None, now_us: int) -> Moved:
        """Move unclaimed jobs to another queue or priority; each keeps its place in time."""
        self.tick(now_us)
        made: Made = Counter()
        answers = []
        for id in ids_:
            record = self.records.get(id)
            if record is None or record.status not in (Status.QUEUED, Status.WAITING):
                answers.append((id, "missing" if record is None else record.status.value))
                continue
            new = transitions.amended(record, queue, priority, now_us)
            self._put(record, new, "amend")
            if new.status is Status.QUEUED:
                made[new.queue, new.shape] += 1
            answers.append((id, new.status.value))
        return Moved(tuple(answers), self._announce(made))
