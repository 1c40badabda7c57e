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

from hysds.core import transitions
from hysds.core.dedup_keys import Key
from hysds.core.floor import Made, Worker
from hysds.core.floor_steps import FloorSteps
from hysds.core.kin_steps import KinSteps
from hysds.core.lease_steps import LeaseSteps
from hysds.core.record import GROUP
from hysds.core.requests import SAME, Acceptance, Accepted, Accepting, Answer, Moved
from hysds.core.status import Status
from hysds.core.time_steps import TimeSteps
from hysds.core.upkeep_steps import UpkeepSteps

__all__ = ["Book", "Key", "Worker"]


class Book(KinSteps, LeaseSteps, TimeSteps, UpkeepSteps, FloorSteps):
    """One ledger, with every step. Not for more than one thread."""

    def accept(self, batch: Sequence[Acceptance], retention_ms: int, now_us: int) -> Accepted:
        """Take jobs in, in order; a repeat of an accepted one reads its answer from the record."""
        self.tick(now_us)
        made: Made = Counter()
        answers = []
        new = set()
        for item in batch:
            answer = self._accept(item, retention_ms, now_us)
            answers.append(answer)
            if answer.how is Accepting.ACCEPTED:
                new.add(item.id)
                if answer.status == Status.QUEUED.value:
                    made[item.queue, item.shape] += 1
            elif answer.how is not Accepting.DEDUPED and item.parent in new:
                self._stands_already(item)
        return Accepted(tuple(answers), self._announce(made))

    def reject(self, item: Acceptance, error: str, now_us: int) -> Answer:
        """A refused submission that came with an id of its own ends here, where everybody can see why."""
        self.tick(now_us)
        known = self.records.get(item.id)
        if known is not None:
            return self._repeated(known, item)
        record = transitions.rejected(item, self.generations.current, now_us)
        self._enter(record, item.spec, "reject")
        self.errors[item.id] = error
        return Answer(Accepting.ACCEPTED, record.status.value)

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
            if record.kind == GROUP:
                answers.append((id, GROUP))
                continue
            new = transitions.amended(record, queue, priority, now_us)
            if (new.queue, new.priority) == (record.queue, record.priority):
                answers.append((id, SAME))
                continue
            self._put(record, new, "amend")
            if new.status is Status.QUEUED:
                made[new.queue, new.shape] += 1
            answers.append((id, new.status.value))
        return Moved(tuple(answers), self._announce(made))
