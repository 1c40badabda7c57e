"""The steps of a lease: claimed, renewed, and ended by its holder with a commit or a release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from hysds.core import shapes, transitions
from hysds.core.floor import Made
from hysds.core.floor_requests import Fit
from hysds.core.line_steps import LineSteps
from hysds.core.places import Top
from hysds.core.record import Record, placement
from hysds.core.requests import (
    Bid,
    Claimed,
    Commit,
    Committed,
    Committing,
    Head,
    Held,
    Lease,
    Moved,
    Renewal,
    Renewed,
    Standing,
)
from hysds.core.reservations import Heads
from hysds.core.status import Status

SENT_BACK_AT_ONCE = 20
"""How often one claim looks on when what it came across may not start."""


class LeaseSteps(LineSteps):
    """What a worker does."""

    def claim(self, bid: Bid, now_us: int) -> Claimed:
        """The best ready job that fits, under a lease and a fence above any before."""
        self.tick(now_us)
        return self._claim(bid, now_us)

    def _claim(self, bid: Bid, now_us: int) -> Claimed:
        self.floor.meet(bid.worker, self.clock.ms + bid.lease_ms)
        self.floor.bids(bid.worker)
        replayed = self._replay(bid)
        drain = self.floor.drain_of(bid.worker)
        if replayed is not None:
            more = drain is None and self._has_more(bid)
            return Claimed(Lease(replayed, self.specs[replayed.id]), more=more, drain=drain)
        if drain is not None:
            return Claimed(drain=drain)
        heads = self._startable(bid)
        if heads is None:
            self._announce(Counter())
            return Claimed(more=True)
        shown = self._shown_head(heads, now_us)
        if self.reservations.keep_free(bid, heads, shown) or heads.best is None:
            self._announce(Counter())
            return Claimed(None, heads.unknown, shown)
        old = self.records[heads.best.id]
        new = transitions.claimed(old, bid, self.clock.ms, now_us)
        self.reservations.drop(bid.worker)
        self._put(old, new, "claim")
        self.throttles.take(new)
        self._announce(Counter())
        return Claimed(Lease(new, self.specs[new.id]), heads.unknown, shown, self._has_more(bid))

    def _startable(self, bid: Bid) -> Heads | None:
        """The heads that no throttle keeps; None where a step's share of those that one keeps was sent back in line."""
        for _ in range(SENT_BACK_AT_ONCE):
            heads = self._heads(*self._offered(bid.worker, bid.queues, bid.fit))
            tops = [top for top in (heads.best, heads.large) if top is not None]
            sent = [self._send_back(self.records[top.id]) for top in tops]
            if not any(sent):
                return heads
        return None

    def _has_more(self, bid: Bid) -> bool:
        queues, fit = self._offered(bid.worker, bid.queues, bid.fit)
        return any(top.shape in fit.now for top in self.places.tops(self._open(queues)))

    def _offered(self, worker: str, queues: Collection[str], fit: Fit) -> tuple[Collection[str], Fit]:
        """What a worker may take beside what it holds: nothing beside a job that runs alone, no such job beside any."""
        held = self.floor.held_by(worker)
        if any(shapes.is_alone(record.shape) for record in held):
            return (), Fit()
        if not held:
            return queues, fit
        marked = tuple(shape for shape in fit.now if shapes.is_alone(shape))
        now = tuple(shape for shape in fit.now if shape not in marked)
        return queues, Fit(now, (*fit.empty, *marked), fit.never)

    def _replay(self, bid: Bid) -> Record | None:
        """The lease that this nonce won already, while it is live."""
        for record in self.floor.held_by(bid.worker):
            if record.nonce == bid.nonce:
                return record
        return None

    def _heads(self, queues: Collection[str], fit: Fit) -> Heads:
        """What a worker finds. An entry that contradicts its record is mended, never handed out."""
        while True:
            heads = self._tops(self._open(queues), fit)
            strays = [top for top in (heads.best, heads.large) if top is not None and self._is_stray(top)]
            if not strays:
                return heads
            for top in strays:
                self.places.unready(top)
                self.places.settle(top.id, self.records.get(top.id))

    def _open(self, queues: Collection[str]) -> list[str]:
        return [queue for queue in queues if queue not in self.paused]

    def _tops(self, queues: Collection[str], fit: Fit) -> Heads:
        best: Top | None = None
        large: Top | None = None
        unknown = set()
        for top in self.places.tops(queues):
            if top.shape in fit.now:
                best = top if best is None else min(best, top)
            elif top.shape in fit.empty:
                large = top if large is None else min(large, top)
            elif top.shape not in fit.never:
                unknown.add(top.shape)
        return Heads(best, large, tuple(sorted(unknown)))

    def _is_stray(self, top: Top) -> bool:
        record = self.records.get(top.id)
        return record is None or placement(record).ready != (top.queue, top.shape, top.score)

    def _shown_head(self, heads: Heads, now_us: int) -> Head | None:
        if heads.large is None or heads.first != heads.large:
            return None
        record = self.records[heads.large.id]
        return Head(record.id, record.shape, max(now_us // 1000 - record.ready_ms, 0))

    def renew(self, renewal: Renewal, now_us: int) -> Renewed:
        """Longer leases for all that a worker holds, its announcement, and what it should know."""
        self.tick(now_us)
        worker, announcement = renewal.worker, renewal.announcement
        self.floor.meet(worker, self.clock.ms + renewal.announce_ms)
        self.floor.announces(worker, announcement)
        standings = tuple(self._renew(held, renewal.lease_ms, now_us) for held in renewal.held)
        made: Made = Counter()
        unlisted = self._unlisted(renewal, now_us, made)
        self._call_next()
        drain = self.floor.drain_of(worker)
        queues = announcement.queues if drain is None else ()
        heads = self._heads(*self._offered(worker, queues, announcement.fit))
        self.reservations.extend(worker, heads, renewal.lease_ms)
        woken = self._announce(made)
        return Renewed(standings, unlisted, heads.best is not None, heads.unknown, woken, drain)

    def _unlisted(self, renewal: Renewal, now_us: int, made: Made) -> tuple[tuple[str, int], ...]:
        """The worker's leases that it did not list, less those of given-up nonces, which go back."""
        listed = {(held.id, held.fence) for held in renewal.held}
        unlisted = []
        for record in self.floor.held_by(renewal.worker):
            if (record.id, record.fence) in listed:
                continue
            if self._is_given_up(record, renewal):
                self._leave_started(record, transitions.returned(record, now_us), "release", None, made)
            else:
                unlisted.append((record.id, record.fence))
        return tuple(sorted(unlisted))

    def _is_given_up(self, record: Record, renewal: Renewal) -> bool:
        return record.nonce in renewal.given_up

    def _renew(self, held: Held, lease_for_ms: int, now_us: int) -> Standing:
        record = self.records.get(held.id)
        if record is None or not self._owns(record, held.fence):
            return Standing.LOST
        self._put(record, transitions.renewed(record, held, self.clock.ms, lease_for_ms, now_us), "renew")
        return Standing.CANCEL if self._is_cancelled(record) else Standing.OK

    def _owns(self, record: Record, fence: int) -> bool:
        """Only the fence decides, never the clock: a lease past its time but not yet taken is still good."""
        return record.status is Status.STARTED and record.fence == fence

    def _is_cancelled(self, record: Record) -> bool:
        return record.cancel

    def commit(self, commit: Commit, bid: Bid | None, now_us: int) -> Committed:
        """The one end of an attempt; may carry a bid for the next job."""
        self.tick(now_us)
        made: Made = Counter()
        how = self._commit(commit, now_us, made)
        record = self.records.get(commit.id)
        ready = self._announce(made)
        claimed = self._claim(bid, now_us) if bid is not None else None
        status = self.records[commit.id].status.value if record is not None else ""
        return Committed(how, status, claimed, ready)

    def _commit(self, commit: Commit, now_us: int, made: Made) -> Committing:
        record = self.records.get(commit.id)
        if record is None:
            return Committing.LOST
        if not self._owns(record, commit.fence):
            return Committing.AGAIN if self._was_committed(record, commit.fence) else Committing.LOST
        if self._is_uncalled_for(record, commit):
            return Committing.NOT_ASKED
        if self._is_too_late(record, commit):
            return Committing.TOO_LATE
        new = transitions.committed(record, commit, now_us)
        how = commit.reason if commit.reason and new.status is not Status.REVOKED else new.status.value
        entry = transitions.attempt(record, how, now_us, commit.detail)
        self._leave_started(record, new, "commit", entry, made)
        return Committing.DONE

    def _was_committed(self, record: Record, fence: int) -> bool:
        return record.committed == fence

    def _is_uncalled_for(self, record: Record, commit: Commit) -> bool:
        return commit.status is Status.REVOKED and not record.cancel

    def _is_too_late(self, record: Record, commit: Commit) -> bool:
        """A started job's deadline is its keeper's; here only a next attempt beyond it is refused."""
        return (
            commit.status is Status.WAITING and 0 < record.deadline_ms < commit.wake_ms and not record.cancel
        )

    def release(self, id: str, fence: int, delay_ms: int, detail: str, now_us: int) -> Moved:
        """Back to the queue at its old place, or waiting `delay_ms`; burns none of the job's attempts."""
        self.tick(now_us)
        made: Made = Counter()
        record = self.records.get(id)
        if record is None or not self._owns(record, fence):
            return Moved(((id, "lost"),))
        wake_ms = now_us // 1000 + delay_ms if delay_ms else 0
        new = transitions.released(record, wake_ms, now_us)
        entry = transitions.attempt(record, "released", now_us, detail)
        self._leave_started(record, new, "release", entry, made)
        return Moved(((id, new.status.value),), self._announce(made))
