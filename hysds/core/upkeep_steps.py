"""The steps of an operator and of the store: pauses, confirmation and forgetting, revisions, the audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hysds.core import transitions
from hysds.core.generations import Generations
from hysds.core.line_steps import LineSteps
from hysds.core.queue_tallies import Pause
from hysds.core.record import Record
from hysds.core.requests import MAX_BATCH, Moved, Purge, Purged, Purging


class UpkeepSteps(LineSteps):
    """What keeps a ledger in order, and small."""

    def pause(self, queue: str, reason: str, now_us: int) -> None:
        """Nothing of the queue is claimed until it is resumed; jobs still enter it, and ttl runs on."""
        self.tick(now_us)
        self.paused[queue] = Pause(now_us // 1000, reason)
        self.queues.touch(queue, now_us // 1000)

    def resume(self, queue: str, now_us: int) -> Moved:
        """Its ready work may be claimed again."""
        self.tick(now_us)
        was_paused = self.paused.pop(queue, None) is not None
        if was_paused:
            self.queues.touch(queue, now_us // 1000)
        made = Counter(
            {pair: len(entries) for pair, entries in self.places.ready.items() if pair[0] == queue}
        )
        return Moved((), self._announce(made) if was_paused else ())

    def confirm(self, id: str, revision: int, retention_ms: int, now_us: int) -> bool:
        """The store holds the document of this revision; an ended job's record may go `retention_ms` later."""
        self.tick(now_us)
        record = self.records.get(id)
        if record is None or not record.status.is_terminal or record.revision != revision:
            return False
        self.records[id] = replace(record, confirmed=True)
        self.retire[id] = now_us // 1000 + retention_ms
        return True

    def retirable(self, limit: int, now_us: int) -> tuple[str, ...]:
        """Ids whose time after the confirmation is over, oldest first."""
        over = sorted((ms, id) for id, ms in self.retire.items() if ms <= now_us // 1000)
        return tuple(id for _, id in over[:limit])

    def forget(self, ids_: Sequence[str], now_us: int) -> tuple[str, ...]:
        """Drop confirmed records, keys whose window is over, and queues that were not used for long; answers the ids
        that are gone."""
        self.tick(now_us)
        gone = [id for id in ids_ if id in self.records and self._may_forget(self.records[id])]
        for id in gone:
            self._drop(id)
        self.keys.drop_over(now_us // 1000, MAX_BATCH)
        self.queues.forget(now_us // 1000, MAX_BATCH)
        return tuple(gone)

    def _may_forget(self, record: Record) -> bool:
        return record.status.is_terminal and record.confirmed and not self._is_waited_for(record)

    def _is_waited_for(self, record: Record) -> bool:
        """Whether the end of the job has not reached all who wait for it."""
        return record.id in self.kin.dependents

    def purge(self, wanted: Sequence[Purge], now_us: int) -> tuple[Purged, ...]:
        """Take ended jobs out for good, whose last document the store holds, and free the keys that name them."""
        self.tick(now_us)
        return tuple(self._purge(item) for item in wanted)

    def _purge(self, item: Purge) -> Purged:
        record = self.records.get(item.id)
        if record is None:
            self.keys.free(item.dedup, item.id)
            return Purged(Purging.MISSING)
        if not self._has_ended(record):
            return Purged(Purging.LIVE, record.status.value)
        if not self._is_written(record):
            return Purged(Purging.UNWRITTEN, record.status.value)
        if self._is_waited_for(record):
            return Purged(Purging.AWAITED, record.status.value)
        self.keys.free(record.dedup, record.id)
        self._drop(record.id)
        return Purged(Purging.PURGED, record.status.value, record.revision)

    def _has_ended(self, record: Record) -> bool:
        return record.status.is_terminal

    def _is_written(self, record: Record) -> bool:
        """Whether the store holds its last document: what a purge that was killed is found by."""
        return record.confirmed

    def _drop(self, id: str) -> None:
        for shelf in (self.records, self.specs, self.attempts, self.errors, self.retire):
            shelf.pop(id, None)
        self.kin.forget(id)

    def touch(self, id: str, above: int, now_us: int) -> int:
        """Raise a record's revision above one that a store holds from a lost future; 0 where there is no record."""
        self.tick(now_us)
        record = self.records.get(id)
        if record is None:
            return 0
        new = transitions.touched(record, above, now_us)
        self.retire.pop(id, None)
        self._put(record, new, "touch")
        return new.revision

    def roll(self, current: int, oldest: int, now_us: int) -> Generations:
        """Let new jobs be born in generation `current`, and give up those below `oldest`; answers what stands now."""
        self.tick(now_us)
        self.generations = self._rolled(current, oldest)
        return self.generations

    def _rolled(self, current: int, oldest: int) -> Generations:
        """Two reconcilers may come one after the other: the later of them may know less."""
        return self.generations.rolled(current, oldest)

    def audit(self, id: str, now_us: int) -> str:
        """Compare a record with the ledger's sets and mend them; answers what was wrong, "" where nothing was."""
        self.tick(now_us)
        record = self.records.get(id)
        found = (self.places.mend(id, record), self.throttles.mend(id, record))
        self._announce(Counter())
        return "; ".join(one for one in found if one)
