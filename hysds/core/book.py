"""The ledger as a data structure: every transition over plain dictionaries, with the time as an argument.

This is the memory ledger, the model that the exhaustive search walks through, and the reference that the Lua scripts are
compared with. Each rule of the ledger that can be left out stands in a small method of its own, so that a mutant of the
book, which overrides one, shows what the rule is for.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hysds.core import ids, shapes, transitions
from hysds.core.record import FOREVER, Attempt, Placement, Record, overdue, placement
from hysds.core.requests import (
    Acceptance,
    Accepted,
    Accepting,
    Announcement,
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
    Ready,
    Renewal,
    Renewed,
    Standing,
)
from hysds.core.status import Status

CLOCK_CAP_MS = 2_000
"""The most that the ledger's clock moves in one step, however far the server's did."""

INBOX_LENGTH = 1_000
"""Notices only hurry things: beyond this many the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whom a dedup digest names, and (wall ms, FOREVER, or 0 while it lives) until when."""

    owner: str
    until_ms: int = 0


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
class Book:
    """All that one ledger holds. Not for more than one thread."""

    records: dict[str, Record] = field(default_factory=dict)
    specs: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, tuple[Attempt, ...]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    ready: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    leases: dict[str, int] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    inboxes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    retire: dict[str, int] = field(default_factory=dict)
    """Wall ms after which a confirmed record (its id) or an ended key ("key:" and its digest) may go."""
    events: list[Event] = field(default_factory=list)
    clock_ms: int = 0
    wall_ms: int = 0
    """The server's time at the last step."""
    generation: int = 0

    # ---- submissions -------------------------------------------------------------------------------------------

    def accept(self, batch: Sequence[Acceptance], retention_ms: int, now_us: int) -> Accepted:
        """Take jobs in, in order; a repeat of an accepted one reads its answer from the record."""
        self.tick(now_us)
        made: Counter[tuple[str, str]] = Counter()
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
            return _repeated(known, item)
        made_ms = ids.made_ms(ids.JobId(item.id))
        if made_ms is not None and made_ms < now_us // 1000 - retention_ms:
            return Answer(Accepting.TOO_OLD)
        twin = self._twin(item, now_us // 1000)
        if twin is not None:
            record = replace(
                _first_record(item, Status.DEDUPED, self.generation, now_us),
                ended_ms=now_us // 1000, dedup_job=twin[0], dedup_status=twin[1],
            )  # fmt: skip
            self._enter(record, item.spec, "accept")
            return Answer(Accepting.DEDUPED, record.status.value, *twin)
        if self._queue_is_full(item):
            return Answer(Accepting.FULL)
        waits = item.wake_ms > now_us // 1000
        record = _first_record(item, Status.WAITING if waits else Status.QUEUED, self.generation, now_us)
        if self._may_take(item, now_us // 1000):
            self.keys[item.dedup] = Key(item.id)
            self.retire.pop("key:" + item.dedup, None)
        self._enter(record, item.spec, "accept")
        return Answer(Accepting.ACCEPTED, record.status.value)

    def reject(self, item: Acceptance, error: str, now_us: int) -> Answer:
        """A refused submission that came with an id of its own ends here, where everybody can see why."""
        self.tick(now_us)
        known = self.records.get(item.id)
        if known is not None:
            return _repeated(known, item)
        record = _first_record(item, Status.FAILED, self.generation, now_us)
        self._enter(replace(record, reason="invalid", ended_ms=now_us // 1000), item.spec, "reject")
        self.errors[item.id] = error
        return Answer(Accepting.ACCEPTED, record.status.value)

    def _twin(self, item: Acceptance, now_ms: int) -> tuple[str, str] | None:
        """The job that makes this one a duplicate, and its status: judged by the new submission's own states."""
        key = self.keys.get(item.dedup) if item.dedup else None
        if key is None or item.may_repeat or key.owner == item.retry_of or self._is_over(key, now_ms):
            return None
        status = self._key_status(key)
        return (key.owner, status.value) if status in item.twins else None

    def _may_take(self, item: Acceptance, now_ms: int) -> bool:
        if not item.dedup:
            return False
        key = self.keys.get(item.dedup)
        if key is None or self._is_over(key, now_ms):
            return True
        if not self._key_status(key).is_terminal:
            return False
        return key.owner == item.retry_of or not (item.may_repeat or item.retry_of)

    def _key_status(self, key: Key) -> Status:
        """A key whose record is forgotten stands for a completed job."""
        owner = self.records.get(key.owner)
        return owner.status if owner is not None else Status.COMPLETED

    def _is_over(self, key: Key, now_ms: int) -> bool:
        return key.until_ms > 0 and key.until_ms <= now_ms

    def _queue_is_full(self, item: Acceptance) -> bool:
        if (item.queue, item.shape) in self.ready:
            return False
        return sum(queue == item.queue for queue, _ in self.ready) >= shapes.MAX_SHAPES_PER_QUEUE

    # ---- claims ------------------------------------------------------------------------------------------------

    def claim(self, bid: Bid, now_us: int) -> Claimed:
        """The best ready job that fits, under a lease and a fence above any before."""
        self.tick(now_us)
        return self._claim(bid, now_us)

    def _claim(self, bid: Bid, now_us: int) -> Claimed:
        self._meet(bid.worker, self.clock_ms + bid.lease_ms)
        self.workers[bid.worker] = replace(self.workers[bid.worker], pledged=0)
        replayed = self._replay(bid)
        if replayed is not None:
            return Claimed(Lease(replayed, self.specs[replayed.id]))
        best, head, unknown = self._heads(bid.queues, bid.fit)
        shown = self._shown_head(head, best, now_us)
        if self._is_kept_free(bid, best, head, shown):
            return Claimed(None, unknown, shown)
        if best is None:
            return Claimed(None, unknown, shown)
        old = self.records[best[1]]
        new = transitions.claimed(old, bid.worker, bid.nonce, self.clock_ms + bid.lease_ms, now_us)
        self._drop_reservation(bid.worker)
        self._put(old, new, "claim")
        return Claimed(Lease(new, self.specs[new.id]), unknown, shown)

    def _replay(self, bid: Bid) -> Record | None:
        """The lease that this nonce won already, while it is live."""
        for record in self._held_by(bid.worker):
            if record.nonce == bid.nonce:
                return record
        return None

    def _heads(
        self, queues: Iterable[str], fit: Fit
    ) -> tuple[tuple[int, str] | None, tuple[int, str] | None, tuple[str, ...]]:
        """(best that fits now, best that fits only the empty host, shapes never seen) over unpaused queues."""
        best: tuple[int, str] | None = None
        head: tuple[int, str] | None = None
        unknown = set()
        for (queue, shape), entries in self.ready.items():
            if queue not in queues or queue in self.paused:
                continue
            if shape in fit.now:
                best = entries[0] if best is None else min(best, entries[0])
            elif shape in fit.empty:
                head = entries[0] if head is None else min(head, entries[0])
            elif shape not in fit.never:
                unknown.add(shape)
        return best, head, tuple(sorted(unknown))

    def _shown_head(
        self, head: tuple[int, str] | None, best: tuple[int, str] | None, now_us: int
    ) -> Head | None:
        if head is None or (best is not None and best < head):
            return None
        record = self.records[head[1]]
        return Head(record.id, record.shape, max(now_us // 1000 - record.ready_ms, 0))

    def _is_kept_free(
        self, bid: Bid, best: tuple[int, str] | None, head: tuple[int, str] | None, shown: Head | None
    ) -> bool:
        """Whether the host takes nothing now, because an old job that needs more of it comes first."""
        if self._keeps_reservation(bid.worker, best, head, bid.lease_ms):
            return self.workers[bid.worker].reserved != (best[1] if best else "")
        if shown is None or shown.age_ms < bid.reserve_after_ms:
            return False
        record = self.records[shown.id]
        if record.reserved_by not in ("", bid.worker) and record.reserved_ms > self.clock_ms:
            return False
        self._reserve(record, bid.worker, bid.lease_ms)
        return True

    def _keeps_reservation(
        self, worker: str, best: tuple[int, str] | None, head: tuple[int, str] | None, lease_ms: int
    ) -> bool:
        """Extends the worker's reservation while its job is ready and the head; else drops it."""
        reserved = self.workers[worker].reserved
        if not reserved:
            return False
        heads = [entry for entry in (best, head) if entry is not None]
        record = self.records.get(reserved)
        if record is None or not heads or min(heads)[1] != reserved or record.reserved_by != worker:
            self._drop_reservation(worker)
            return False
        self._reserve(record, worker, lease_ms)
        return True

    def _reserve(self, record: Record, worker: str, lease_ms: int) -> None:
        self.records[record.id] = replace(record, reserved_by=worker, reserved_ms=self.clock_ms + lease_ms)
        self.workers[worker] = replace(self.workers[worker], reserved=record.id)

    def _drop_reservation(self, worker: str) -> None:
        reserved = self.workers[worker].reserved
        record = self.records.get(reserved)
        if record is not None and record.reserved_by == worker:
            self.records[reserved] = replace(record, reserved_by="", reserved_ms=0)
        self.workers[worker] = replace(self.workers[worker], reserved="")

    def renew(self, renewal: Renewal, now_us: int) -> Renewed:
        """Longer leases for all that a worker holds, its announcement, and what it should know."""
        self.tick(now_us)
        self._meet(renewal.worker, self.clock_ms + renewal.announce_ms)
        self.workers[renewal.worker] = replace(
            self.workers[renewal.worker], announcement=renewal.announcement, pledged=0
        )
        standings = tuple(
            self._renew(held, renewal.worker, self.clock_ms + renewal.lease_ms, now_us)
            for held in renewal.held
        )
        made: Counter[tuple[str, str]] = Counter()
        listed = {(held.id, held.fence) for held in renewal.held}
        unlisted = []
        for record in self._held_by(renewal.worker):
            if (record.id, record.fence) in listed:
                continue
            if record.nonce in renewal.given_up:
                self._leave_started(record, transitions.returned(record, now_us), "release", "", now_us, made)
            else:
                unlisted.append((record.id, record.fence))
        announcement = renewal.announcement
        best, head, unknown = self._heads(announcement.queues, announcement.fit)
        self._keeps_reservation(renewal.worker, best, head, renewal.lease_ms)
        return Renewed(standings, tuple(sorted(unlisted)), best is not None, unknown, self._announce(made))

    def _renew(self, held: Held, worker: str, lease_ms: int, now_us: int) -> Standing:
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

    # ---- ends of a lease ---------------------------------------------------------------------------------------

    def commit(self, commit: Commit, bid: Bid | None, now_us: int) -> Committed:
        """The one end of an attempt; may carry a bid for the next job."""
        self.tick(now_us)
        made: Counter[tuple[str, str]] = Counter()
        how = self._commit(commit, now_us, made)
        record = self.records.get(commit.id)
        ready = self._announce(made)
        claimed = self._claim(bid, now_us) if bid is not None else None
        status = self.records[commit.id].status.value if record is not None else ""
        return Committed(how, status, claimed, ready)

    def _commit(self, commit: Commit, now_us: int, made: Counter[tuple[str, str]]) -> Committing:
        record = self.records.get(commit.id)
        if record is None:
            return Committing.LOST
        if not self._owns(record, commit.fence):
            return Committing.AGAIN if record.committed == commit.fence else Committing.LOST
        if commit.status is Status.REVOKED and not record.cancel:
            return Committing.NOT_ASKED
        if commit.status is Status.WAITING and 0 < record.deadline_ms < commit.wake_ms and not record.cancel:
            return Committing.TOO_LATE
        new = transitions.committed(record, commit, now_us)
        how = commit.reason if commit.reason and new.status is not Status.REVOKED else new.status.value
        self._leave_started(record, new, "commit", how, now_us, made, commit.detail)
        return Committing.DONE

    def release(self, id: str, fence: int, delay_ms: int, detail: str, now_us: int) -> Moved:
        """Back to the queue at its old place, or waiting `delay_ms`; burns none of the job's attempts."""
        self.tick(now_us)
        made: Counter[tuple[str, str]] = Counter()
        record = self.records.get(id)
        if record is None or not self._owns(record, fence):
            return Moved(((id, "lost"),))
        wake_ms = now_us // 1000 + delay_ms if delay_ms else 0
        new = transitions.released(record, wake_ms, now_us)
        self._leave_started(record, new, "release", "released", now_us, made, detail)
        return Moved(((id, new.status.value),), self._announce(made))

    def _leave_started(
        self,
        old: Record,
        new: Record,
        step: str,
        how: str,
        now_us: int,
        made: Counter[tuple[str, str]],
        detail: str = "",
    ) -> None:
        """Every way out of *started*: the attempt is written down, and what became ready is counted."""
        if how:
            entry = transitions.attempt(old, how, now_us, detail)
            self.attempts[old.id] = (*self.attempts.get(old.id, ()), entry)
        self._put(old, new, step)
        if new.status is Status.QUEUED:
            made[new.queue, new.shape] += 1

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
            self._tell(record.owner, f"{Notice.CANCEL.value} {id} {record.fence}")
            return Status.STARTED.value
        self._put(record, transitions.cancelled(record, now_us), "cancel")
        return Status.REVOKED.value

    # ---- what comes with time ----------------------------------------------------------------------------------

    def tick(self, now_us: int) -> None:
        """Move the ledger's clock by what the server's moved, at most CLOCK_CAP_MS and never back."""
        now_ms = now_us // 1000
        if self.wall_ms:
            self.clock_ms += min(max(now_ms - self.wall_ms, 0), CLOCK_CAP_MS)
        self.wall_ms = now_ms

    def wake(self, limit: int, now_us: int) -> Moved:
        """Waiting jobs whose time has come are ready."""
        self.tick(now_us)
        made: Counter[tuple[str, str]] = Counter()
        answers = []
        due = self._due(now_us)
        for id in due[:limit]:
            record = self.records[id]
            if record.status is not Status.WAITING or overdue(record, now_us // 1000):
                continue
            new = transitions.woken(record, now_us)
            self._put(record, new, "wake")
            made[new.queue, new.shape] += 1
            answers.append((id, new.status.value))
        return Moved(tuple(answers), self._announce(made), len(due) > limit)

    def suspect(self, limit: int, half_ms: int, now_us: int) -> Moved:
        """Jobs whose lease has less than `half_ms` left are shown as `job-offline`."""
        self.tick(now_us)
        silent = [
            id
            for id, until in sorted(self.leases.items(), key=_by_score)
            if until - half_ms <= self.clock_ms and not self.records[id].suspect
        ]
        for id in silent[:limit]:
            self._put(self.records[id], transitions.suspected(self.records[id], now_us), "suspect")
        return Moved(tuple((id, Status.STARTED.value) for id in silent[:limit]), (), len(silent) > limit)

    def expire(self, limit: int, now_us: int) -> Moved:
        """Leases past their end come back; unclaimed jobs past ttl or deadline fail."""
        self.tick(now_us)
        made: Counter[tuple[str, str]] = Counter()
        answers = []
        over = [id for id, until in sorted(self.leases.items(), key=_by_score) if until <= self.clock_ms]
        for id in over[:limit]:
            answers.append((id, self._lose(self.records[id], now_us, made)))
        room = limit - len(answers)
        due = self._due(now_us)
        for id in due[:room]:
            record = self.records[id]
            if overdue(record, now_us // 1000):
                new = transitions.outlived(record, now_us)
                self._put(record, new, "expire")
                answers.append((id, new.status.value))
        return Moved(tuple(answers), self._announce(made), len(over) > limit or len(due) > room)

    def _due(self, now_us: int) -> list[str]:
        return [id for id, ms in sorted(self.due.items(), key=_by_score) if ms <= now_us // 1000]

    def _lose(self, record: Record, now_us: int, made: Counter[tuple[str, str]]) -> str:
        new = transitions.lost(record, now_us)
        self._tell(record.owner, f"{Notice.LOST.value} {record.id} {record.fence}")
        self._leave_started(record, new, "expire", "worker-lost", now_us, made)
        return new.status.value

    def leave(self, worker: str, now_us: int) -> Moved:
        """A worker is gone, by its own word or proved dead: its leases end as if they had run out."""
        self.tick(now_us)
        made: Counter[tuple[str, str]] = Counter()
        held = sorted(self._held_by(worker), key=lambda record: record.id)
        answers = tuple((record.id, self._lose(record, now_us, made)) for record in held)
        if worker in self.workers:
            self._drop_reservation(worker)
        self.workers.pop(worker, None)
        self.inboxes.pop(worker, None)
        return Moved(answers, self._announce(made))

    # ---- an operator's and a reconciler's steps ----------------------------------------------------------------

    def amend(self, ids_: Sequence[str], queue: str, priority: int | None, now_us: int) -> Moved:
        """Move unclaimed jobs to another queue or priority; each keeps its place in time."""
        self.tick(now_us)
        made: Counter[tuple[str, str]] = Counter()
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

    def pause(self, queue: str, now_us: int) -> None:
        """Nothing of the queue is claimed until it is resumed; jobs still enter it, and ttl runs on."""
        self.tick(now_us)
        self.paused.add(queue)

    def resume(self, queue: str, now_us: int) -> Moved:
        """Its ready work may be claimed again."""
        self.tick(now_us)
        was_paused = queue in self.paused
        self.paused.discard(queue)
        made = Counter({pair: len(entries) for pair, entries in self.ready.items() if pair[0] == queue})
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
        over = [
            name
            for name, ms in sorted(self.retire.items(), key=_by_score)
            if ms <= now_us // 1000 and not name.startswith("key:")
        ]
        return tuple(over[:limit])

    def forget(self, ids_: Sequence[str], now_us: int) -> tuple[str, ...]:
        """Drop confirmed records, and keys whose window is over; answers the ids that are gone."""
        self.tick(now_us)
        gone = [id for id in ids_ if id in self.records and self._may_forget(self.records[id])]
        for id in gone:
            for shelf in (self.records, self.specs, self.attempts, self.errors, self.retire):
                shelf.pop(id, None)
        for name, ms in list(self.retire.items()):
            if name.startswith("key:") and ms <= now_us // 1000:
                del self.retire[name]
                self.keys.pop(name.removeprefix("key:"), None)
        return tuple(gone)

    def _may_forget(self, record: Record) -> bool:
        return record.status.is_terminal and record.confirmed

    def touch(self, id: str, above: int, now_us: int) -> int:
        """Raise a record's revision above one that a store holds from a lost future; 0 where there is no record."""
        self.tick(now_us)
        record = self.records.get(id)
        if record is None:
            return 0
        new = transitions.step(replace(record, revision=max(record.revision, above)), "touch", now_us,
                               status=record.status, confirmed=False)  # fmt: skip
        self.retire.pop(id, None)
        self._put(record, new, "touch")
        return new.revision

    def audit(self, id: str, now_us: int) -> str:
        """Compare a record with the ledger's sets and mend them; answers what was wrong, "" where nothing was."""
        self.tick(now_us)
        record = self.records.get(id)
        entries = [pair for pair, members in self.ready.items() if any(name == id for _, name in members)]
        there = Placement(
            ready=(*entries[0], self._score(entries[0], id)) if len(entries) == 1 else None,
            due=self.due.get(id),
            lease=self.leases.get(id),
        )
        should = placement(record) if record is not None else Placement()
        if there == should and len(entries) <= 1:
            return ""
        for pair in entries:
            self._unready(pair, (self._score(pair, id), id))
        self.due.pop(id, None)
        self.leases.pop(id, None)
        if record is not None:
            self._place(id, should)
        return f"stood at {_places(there, len(entries))}, belongs at {_places(should, 1)}"

    # ---- the sets, kept by every step --------------------------------------------------------------------------

    def _enter(self, record: Record, spec: str, step: str) -> None:
        transitions.allow(step, None, record.status)
        self.records[record.id] = record
        self.specs[record.id] = spec
        self._place(record.id, placement(record))
        self._publish(record, step)

    def _put(self, old: Record, new: Record, step: str) -> None:
        """Store a record, move it among the sets, let go of its key where it ended, and tell the stream."""
        self._move(old, new)
        self.records[new.id] = new
        if new.status.is_terminal and not old.status.is_terminal:
            self._settle_key(new)
        if new.revision != old.revision:
            self._publish(new, step)

    def _publish(self, record: Record, step: str) -> None:
        shown = "job-offline" if record.suspect else record.status.value
        self.events.append(Event(record.id, record.revision, record.fence, shown, step))

    def _settle_key(self, record: Record) -> None:
        """A key goes with its job, or stands for its window when the job completed; only while it still names it."""
        key = self.keys.get(record.dedup) if record.dedup else None
        if key is None or key.owner != record.id:
            return
        if record.status is not Status.COMPLETED or record.window_ms == 0:
            del self.keys[record.dedup]
        elif record.window_ms == FOREVER:
            self.keys[record.dedup] = Key(record.id, FOREVER)
        else:
            until_ms = record.ended_ms + record.window_ms
            self.keys[record.dedup] = Key(record.id, until_ms)
            self.retire["key:" + record.dedup] = until_ms

    def _move(self, old: Record, new: Record) -> None:
        before, after = placement(old), placement(new)
        if before == after:
            return
        if before.ready is not None:
            self._unready(before.ready[:2], (before.ready[2], old.id))
        self.due.pop(old.id, None)
        self.leases.pop(old.id, None)
        self._place(new.id, after)

    def _place(self, id: str, place: Placement) -> None:
        if place.ready is not None:
            queue, shape, score = place.ready
            bisect.insort(self.ready.setdefault((queue, shape), []), (score, id))
        if place.due is not None:
            self.due[id] = place.due
        if place.lease is not None:
            self.leases[id] = place.lease

    def _unready(self, pair: tuple[str, str], entry: tuple[int, str]) -> None:
        entries = self.ready.get(pair, [])
        if entry in entries:
            entries.remove(entry)
        if not entries:
            self.ready.pop(pair, None)

    def _score(self, pair: tuple[str, str], id: str) -> int:
        return next(score for score, name in self.ready[pair] if name == id)

    def _meet(self, worker: str, until_ms: int) -> None:
        known = self.workers.get(worker)
        if known is None:
            self.workers[worker] = Worker(until_ms)
        elif known.until_ms < until_ms:
            self.workers[worker] = replace(known, until_ms=until_ms)

    def _held_by(self, worker: str) -> list[Record]:
        return [self.records[id] for id in sorted(self.leases) if self.records[id].owner == worker]

    def _tell(self, worker: str, notice: str) -> None:
        if worker in self.workers:
            self.inboxes[worker] = (*self.inboxes.get(worker, ()), notice)[-INBOX_LENGTH:]

    def _announce(self, made: Counter[tuple[str, str]]) -> tuple[Ready, ...]:
        """Wake idle workers for jobs that became ready; answer, by queue, how many were heard by nobody."""
        jobs: Counter[str] = Counter()
        unheard: Counter[str] = Counter()
        for (queue, shape), count in sorted(made.items()):
            jobs[queue] += count
            if queue not in self.paused:
                unheard[queue] += self._wake_idle(queue, shape, count)
        return tuple(
            Ready(queue, jobs[queue], unheard[queue], len(self._hearers(queue))) for queue in sorted(jobs)
        )

    def _wake_idle(self, queue: str, shape: str, count: int) -> int:
        """Pledge free slots of workers that hear the queue; answers how many jobs found none."""
        slots = shapes.decode(shape).slots
        for name in self._hearers(queue):
            worker = self.workers[name]
            assert worker.announcement is not None
            if shape in worker.announcement.fit.never:
                continue
            taken = min(count, self._idle_slots(name) // slots)
            if taken <= 0:
                continue
            if worker.pledged == 0:
                self._tell(name, Notice.WAKE.value)
            self.workers[name] = replace(worker, pledged=worker.pledged + taken * slots)
            count -= taken
            if count == 0:
                break
        return count

    def _idle_slots(self, name: str) -> int:
        worker = self.workers[name]
        assert worker.announcement is not None
        busy = sum(shapes.decode(record.shape).slots for record in self._held_by(name))
        return worker.announcement.slots - busy - worker.pledged

    def _hearers(self, queue: str) -> list[str]:
        return sorted(
            name
            for name, worker in self.workers.items()
            if worker.announcement is not None
            and queue in worker.announcement.queues
            and worker.announcement.slots > 0
            and worker.until_ms > self.clock_ms
        )


def _by_score(entry: tuple[str, int]) -> tuple[int, str]:
    return entry[1], entry[0]


def _first_record(item: Acceptance, status: Status, generation: int, now_us: int) -> Record:
    now_ms = now_us // 1000
    return Record(
        id=item.id,
        status=status,
        revision=now_us,
        digest=item.digest,
        queue=item.queue,
        shape=item.shape,
        priority=item.priority,
        lost_left=item.lost_left,
        preempt_left=item.preempt_left,
        reason="time" if status is Status.WAITING else "",
        accepted_ms=now_ms,
        ready_ms=now_ms if status is Status.QUEUED else 0,
        wake_ms=item.wake_ms if status is Status.WAITING else 0,
        ttl_ms=now_ms + item.ttl_for_ms if item.ttl_for_ms and not status.is_terminal else 0,
        deadline_ms=0 if status.is_terminal else item.deadline_ms,
        dedup=item.dedup,
        window_ms=item.window_ms,
        retry_of=item.retry_of,
        generation=generation,
    )


def _repeated(known: Record, item: Acceptance) -> Answer:
    if known.digest != item.digest:
        return Answer(Accepting.CONFLICT, known.status.value)
    return Answer(Accepting.REPEATED, known.status.value, known.dedup_job, known.dedup_status)


def _places(place: Placement, lists: int) -> str:
    names = [f"{lists} ready lists"] if lists > 1 else []
    if place.ready is not None:
        names.append(f"ready {place.ready[0]} {place.ready[1]} {place.ready[2]}")
    if place.due is not None:
        names.append(f"due {place.due}")
    if place.lease is not None:
        names.append(f"lease {place.lease}")
    return ", ".join(names) or "nowhere"
