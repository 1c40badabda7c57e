"""The ledger as a data structure: every transition over plain dictionaries, with the time as an argument.

This is the memory ledger, the model that the exhaustive search walks through, and the reference that the Lua scripts are
compared with. It orders the steps; where a job stands, which key it holds and who hears of it are decided by its parts
(`places`, `dedup_keys`, `floor`, `reservations`), and what a step does to a record by `transitions`. Each rule of the
ledger that can be left out stands in a small method of its own, so that a mutant, which overrides one, shows what the
rule is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hysds.core import ids, transitions
from hysds.core.dedup_keys import DedupKeys, Key
from hysds.core.floor import Floor, Made, Worker
from hysds.core.ledger_clock import LedgerClock
from hysds.core.places import Places, ReadyEntry
from hysds.core.record import Attempt, Record, overdue, shown_status
from hysds.core.requests import (
    Acceptance,
    Accepted,
    Accepting,
    Answer,
    Bid,
    Claimed,
    Commit,
    Committed,
    Committing,
    Event,
    Fit,
    Head,
    Held,
    Lease,
    Moved,
    Notice,
    Renewal,
    Renewed,
    Standing,
)
from hysds.core.reservations import Heads, Reservations
from hysds.core.status import Status

__all__ = ["Book", "Key", "Worker"]


class Book:
    """All that one ledger holds. Not for more than one thread."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.specs: dict[str, str] = {}
        self.attempts: dict[str, tuple[Attempt, ...]] = {}
        self.errors: dict[str, str] = {}
        self.paused: set[str] = set()
        self.retire: dict[str, int] = {}
        """Wall ms after which a confirmed record may go, by id."""
        self.events: list[Event] = []
        self.generation = 0
        self.clock = LedgerClock()
        self.places = Places()
        self.keys = DedupKeys(self.records)
        self.floor = Floor(self.records, self.places, self.clock)
        self.reservations = Reservations(self.records, self.floor, self.clock)

    # ---- submissions -------------------------------------------------------------------------------------------

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
        twin = self.keys.twin(item, now_us // 1000)
        if twin is not None:
            record = transitions.deduped(item, twin, self.generation, now_us)
            self._enter(record, item.spec, "accept")
            return Answer(Accepting.DEDUPED, record.status.value, *twin)
        if not self.places.has_room(item.queue, item.shape):
            return Answer(Accepting.FULL)
        record = transitions.accepted(item, self.generation, now_us)
        self.keys.take(item, now_us // 1000)
        self._enter(record, item.spec, "accept")
        return Answer(Accepting.ACCEPTED, record.status.value)

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

    # ---- claims ------------------------------------------------------------------------------------------------

    def claim(self, bid: Bid, now_us: int) -> Claimed:
        """The best ready job that fits, under a lease and a fence above any before."""
        self.tick(now_us)
        return self._claim(bid, now_us)

    def _claim(self, bid: Bid, now_us: int) -> Claimed:
        self.floor.meet(bid.worker, self.clock.ms + bid.lease_ms)
        self.floor.bids(bid.worker)
        replayed = self._replay(bid)
        if replayed is not None:
            return Claimed(Lease(replayed, self.specs[replayed.id]))
        heads = self._heads(bid.queues, bid.fit)
        shown = self._shown_head(heads, now_us)
        if self.reservations.keep_free(bid, heads, shown) or heads.best is None:
            return Claimed(None, heads.unknown, shown)
        old = self.records[heads.best[1]]
        new = transitions.claimed(old, bid.worker, bid.nonce, self.clock.ms + bid.lease_ms, now_us)
        self.reservations.drop(bid.worker)
        self._put(old, new, "claim")
        return Claimed(Lease(new, self.specs[new.id]), heads.unknown, shown)

    def _replay(self, bid: Bid) -> Record | None:
        """The lease that this nonce won already, while it is live."""
        for record in self.floor.held_by(bid.worker):
            if record.nonce == bid.nonce:
                return record
        return None

    def _heads(self, queues: Iterable[str], fit: Fit) -> Heads:
        best: ReadyEntry | None = None
        large: ReadyEntry | None = None
        unknown = set()
        for shape, entry in self.places.heads([queue for queue in queues if queue not in self.paused]):
            if shape in fit.now:
                best = entry if best is None else min(best, entry)
            elif shape in fit.empty:
                large = entry if large is None else min(large, entry)
            elif shape not in fit.never:
                unknown.add(shape)
        return Heads(best, large, tuple(sorted(unknown)))

    def _shown_head(self, heads: Heads, now_us: int) -> Head | None:
        if heads.large is None or heads.first != heads.large:
            return None
        record = self.records[heads.large[1]]
        return Head(record.id, record.shape, max(now_us // 1000 - record.ready_ms, 0))

    def renew(self, renewal: Renewal, now_us: int) -> Renewed:
        """Longer leases for all that a worker holds, its announcement, and what it should know."""
        self.tick(now_us)
        worker, announcement = renewal.worker, renewal.announcement
        self.floor.meet(worker, self.clock.ms + renewal.announce_ms)
        self.floor.announces(worker, announcement)
        lease_ms = self.clock.ms + renewal.lease_ms
        standings = tuple(self._renew(held, lease_ms, now_us) for held in renewal.held)
        made: Made = Counter()
        unlisted = self._unlisted(renewal, now_us, made)
        heads = self._heads(announcement.queues, announcement.fit)
        self.reservations.extend(worker, heads, renewal.lease_ms)
        return Renewed(standings, unlisted, heads.best is not None, heads.unknown, self._announce(made))

    def _unlisted(self, renewal: Renewal, now_us: int, made: Made) -> tuple[tuple[str, int], ...]:
        """The worker's leases that it did not list, less those of given-up nonces, which go back."""
        listed = {(held.id, held.fence) for held in renewal.held}
        unlisted = []
        for record in self.floor.held_by(renewal.worker):
            if (record.id, record.fence) in listed:
                continue
            if self._is_given_up(record, renewal):
                self._leave_started(record, transitions.returned(record, now_us), "release", "", now_us, made)
            else:
                unlisted.append((record.id, record.fence))
        return tuple(sorted(unlisted))

    def _is_given_up(self, record: Record, renewal: Renewal) -> bool:
        return record.nonce in renewal.given_up

    def _renew(self, held: Held, lease_ms: int, now_us: int) -> Standing:
        record = self.records.get(held.id)
        if record is None or not self._owns(record, held.fence):
            return Standing.LOST
        self._put(record, transitions.renewed(record, held, lease_ms, now_us), "renew")
        return Standing.CANCEL if self._is_cancelled(record) else Standing.OK

    def _owns(self, record: Record, fence: int) -> bool:
        """Only the fence decides, never the clock: a lease past its time but not yet taken is still good."""
        return record.status is Status.STARTED and record.fence == fence

    def _is_cancelled(self, record: Record) -> bool:
        return record.cancel
