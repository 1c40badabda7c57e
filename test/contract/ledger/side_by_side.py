"""The memory ledger and a Redis ledger, driven side by side by numbers, and judged after every step.

A step is five small numbers; 0 first is *nothing*, so a failing run shrinks to the few steps that matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import redis

from contract.ledger import picture, throttled
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.redis import RedisLedger, base
from hysds.adapters.ledger.server import Server
from hysds.core import transitions
from hysds.core.floor_requests import Announcement, Drain, Fit
from hysds.core.kin import Chore, Class, class_of
from hysds.core.record import FOREVER, GROUP, STAGED, Record, placement
from hysds.core.requests import Acceptance, Bid, Commit, Event, Held, Purge, Renewal
from hysds.core.shapes import is_alone
from hysds.core.status import OFFLINE, Status
from hysds.core.throttle_values import waits_in_line
from hysds.lib import uuid7
from hysds.ports.ledger import Ledger

Step = tuple[int, int, int, int, int]

RETENTION_MS = 60_000
_START_US = 1_800_000_000_000_000
_QUEUES = ("alpha", "beta", "ünï-" + "long" * 20)
_SHAPES = ("1s", "2s", "1s0.5c512m", "4s10d")
_WORKERS = ("w1/a", "w2/b", "w10/c")
_NAMES = ("w1", "w2", "w2")
"""What they announce: two incarnations of one name, the last of which is drained as another before it says so."""
_DIGESTS = ("", "", "d1" * 32, "d2" * 32)
_TWINS = (
    frozenset({Status.QUEUED, Status.WAITING, Status.STARTED, Status.COMPLETED}),
    frozenset({Status.QUEUED, Status.STARTED}),
    frozenset({Status.COMPLETED}),
    frozenset[Status](),
)
_AHEAD_MS = (0, 0, 0, 0, -5_000, 1_500, 20_000)
_MOVES_MS = (1, 40, 900, 1_999, 2_500, 10_000, 60_000, 3_600_000, -3, -5_000, -3_600_000)
_ENDS = (Status.COMPLETED, Status.FAILED, Status.REVOKED, Status.QUEUED, Status.WAITING)


class SideBySide:
    """One run, on a server that holds no key under `prefix`."""

    def __init__(self, server: Server, client: redis.Redis, prefix: str) -> None:
        self.now_us = _START_US
        self.memory = MemoryLedger(RETENTION_MS, lambda: self.now_us)
        self.other: Ledger = RedisLedger(server, prefix, RETENTION_MS, lambda: self.now_us)
        self._camera = picture.RedisCamera(client, base(prefix))
        self._items: list[Acceptance] = []
        self._fences: list[tuple[str, int]] = []
        self._nonces: list[str] = []
        self._last: Callable[[Ledger], Any] = lambda ledger: ledger.queues()
        self._is_crowded = False
        """Whether most jobs of the run are alike and have few keys, so that many wait for one place."""
        self._events = 0
        self._unsealed: dict[str, tuple[Acceptance, ...]] = {}
        self._seen: dict[str, Record] = {}
        self._statuses: dict[str, Status] = {}
        self._revisions: dict[str, int] = {}
        self._steps: tuple[Callable[..., Callable[[Ledger], Any] | None], ...] = (
            self._nothing,
            *(self._accept,) * 5,
            *(self._claim,) * 8,
            *(self._renew,) * 4,
            *(self._commit,) * 8,
            *(self._move_clock,) * 4,
            *(self._repeat,) * 3,
            *(self._by_time,) * 5,
            *(self._cancel,) * 2,
            *(self._group,) * 3,
            *(self._stage,) * 2,
            *(self._settle,) * 4,
            self._reject,
            self._release,
            self._amend,
            self._pause,
            self._confirm,
            self._confirm,
            self._forget,
            self._purge,
            self._touch,
            self._leave,
            self._listen,
            self._audit,
            self._drain,
            self._undrain,
            self._roll,
            self._look,
        )

    def take(self, step: Step) -> None:
        """Do one step on both sides and compare all there is."""
        call = self._steps[step[0] % len(self._steps)](*step[1:])
        if call is None:
            return
        self._last = call
        expected, answer = call(self.memory), call(self.other)
        assert expected == answer
        self._remember(answer)
        self._compare()

    def _compare(self) -> None:
        taken, events = self._camera.take()
        expected = picture.of_book(self.memory.book)
        for name in vars(expected):
            assert getattr(expected, name) == getattr(taken, name), name
        fresh = self.memory.book.events[self._events :]
        self._events += len(fresh)
        assert fresh == events
        self._judge(fresh)

    # ---- what may never happen -------------------------------------------------------------------------------

    def _judge(self, fresh: Sequence[Event]) -> None:
        book = self.memory.book
        for event in fresh:
            self._judge_event(event)
        for id, record in book.records.items():
            before = self._seen.get(id)
            if before is not None:
                assert not before.status.is_terminal or record.status is before.status, "an end has changed"
                assert record.fence >= before.fence, "a fence went back"
            self._judge_place(record)
        for owned in book.floor.workers:
            held = book.floor.held_by(owned)
            assert len(held) < 2 or not any(is_alone(record.shape) for record in held), "not alone"
        throttled.judge(book)
        for key in book.keys.by_digest.values():
            owner = book.records.get(key.owner)
            assert owner is None or owner.status not in (Status.FAILED, Status.REVOKED), "a key was kept"
        self._seen = dict(book.records)

    def _judge_event(self, event: Event) -> None:
        after = Status.STARTED if event.status == OFFLINE else Status(event.status)
        if event.step in ("accept", "reject"):
            self._statuses.pop(event.id, None)
            self._revisions.pop(event.id, None)
        transitions.allow(event.step, self._statuses.get(event.id), after)
        self._statuses[event.id] = after
        assert event.revision > self._revisions.get(event.id, 0), "a revision did not grow"
        self._revisions[event.id] = event.revision

    def _judge_place(self, record: Record) -> None:
        places = self.memory.book.places
        should = placement(record)
        lists = [pair for pair, entries in places.ready.items() if any(id == record.id for _, id in entries)]
        assert lists == ([should.ready[:2]] if should.ready else [])
        assert places.due.get(record.id) == should.due
        assert places.leases.get(record.id) == should.lease
        homes = (should.ready is not None) + (record.status is Status.WAITING) + (should.lease is not None)
        assert homes == (0 if record.status.is_terminal else 1)
        has_cause = should.due is not None or waits_in_line(record) or self._has_kin(record)
        assert record.status is not Status.WAITING or has_cause, "it would wait for ever"
        if record.kind == GROUP and record.status is Status.WAITING:
            self._judge_sums(record)

    def _has_kin(self, record: Record) -> bool:
        """Whether another job's end, or a chore, makes it go on."""
        kin = self.memory.book.kin
        if record.after_left:
            return sum(record.id in waiting for waiting in kin.dependents.values()) == record.after_left
        abort = kin.chores.get((Chore.ABORT, record.id))
        return record.kind == GROUP and (record.reason != STAGED or abort is not None)

    def _judge_sums(self, group: Record) -> None:
        """What a group counts is what its members are, and those that have not entered."""
        book = self.memory.book
        kids = book.kin.kids[group.id]
        assert not kids.is_over, "a group outlives its members"
        live = [
            id
            for id, record in book.records.items()
            if record.parent == group.id and not record.status.is_terminal
        ]
        assert set(live) == set(book.kin.members.get(group.id, {})), "members are not known"
        classes = Counter(class_of(book.records[id]) for id in live)
        assert (kids.queued - (kids.total - kids.entered), kids.running) == (
            classes[Class.QUEUED],
            classes[Class.RUNNING],
        ), "a group's sums are not its members'"
        ended = kids.done + kids.failed + kids.revoked + kids.deduped
        assert kids.queued + kids.running + ended == kids.total, "sums do not add up"
        stale = kids.text() != group.kids
        assert not stale or (Chore.TELL, group.id) in book.kin.chores, "the last sums would never be told"

    # ---- steps -----------------------------------------------------------------------------------------------

    def _nothing(self, *_: int) -> None:
        return None

    def _accept(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        if not self._items:
            self._is_crowded = a % 2 == 1
        batch = [
            self._item(a + 7 * n, b + 3 * n, c + 5 * n, d + n)
            for n in range(1 + d % 3 + 3 * self._is_crowded)
        ]
        self._items += batch
        return lambda ledger: ledger.accept(batch)

    def _item(self, a: int, b: int, c: int, d: int) -> Acceptance:
        id, digest = self._new_id(a, d), f"digest {b % 2}"
        if self._items and a % 9 == 0:
            known = self._items[b % len(self._items)]
            id, digest = known.id, known.digest if c % 3 else "another"
        retry_of = self._items[c % len(self._items)].id if self._items and b % 6 == 1 else ""
        ahead_ms = _AHEAD_MS[(a // 3) % len(_AHEAD_MS)]
        is_alike = self._is_crowded and b % 4
        return Acceptance(
            id=id,
            digest=digest,
            spec=f'{{"n": {a}, "é": "\\n"}}',
            queue=_QUEUES[0 if is_alike else a % 3],
            shape=_SHAPES[0 if is_alike else b % 4],
            priority=(0, 0, 5, 10)[c % 4],
            wake_ms=self._now_ms() + ahead_ms if ahead_ms else 0,
            ttl_for_ms=(0, 0, 0, 3_000, 100_000)[b % 5],
            deadline_ms=self._now_ms() + 30_000 if c % 5 == 3 else 0,
            deadline_for_ms=20_000 if c % 7 == 5 else 0,
            dedup=_DIGESTS[d % 4],
            may_repeat=d % 7 == 3,
            twins=_TWINS[(b // 2) % 4],
            window_ms=(FOREVER, 0, 8_000)[c % 3],
            retry_of=retry_of,
            kind=("", "", "task")[a % 3],
            after=self._after(d, c, b),
            after_on=("completed", "completed", "finished")[c % 3],
            doomed="forgotten" if d % 41 == 40 else "",
            lost_left=(2, 0, 1)[a % 3],
            preempt_left=(FOREVER, 1, 0)[b % 3],
            limits=throttled.limits(a, c, d, self._is_crowded),
            rates=throttled.rates(b),
        )

    def _after(self, a: int, b: int, c: int) -> tuple[str, ...]:
        """Other jobs, known or not, ended or not; of members too."""
        if not self._items or a % 6:
            return ()
        names = [self._id(b + n * 3) for n in range(1 + c % 3)]
        return tuple([*names, "no such job"] if c % 11 == 10 else names)

    def _group(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        """A group with its members in one step, or one that is to be staged; sometimes one in the other."""
        group = replace(
            self._item(a, b, c, d), kind=GROUP, dedup="", members=(1, 2, 3, 0)[d % 4], staged=0, doomed=""
        )
        self._items.append(group)
        inner = ()
        if c % 3 == 0 and group.members:
            inner = (replace(self._member(group, b, c, a), kind=GROUP, dedup="", members=2),)
            inner += tuple(self._member(inner[0], b + n, c + n, d + n) for n in range(2))
        direct = tuple(self._member(group, a + n, b + n, c + n) for n in range(group.members - bool(inner)))
        if d % 3:
            group = replace(group, staged=len(inner + direct))
            self._items[self._items.index(replace(group, staged=0))] = group
            self._unsealed[group.id] = inner + direct
            return lambda ledger: ledger.accept([group])
        return lambda ledger: ledger.accept([group, *inner, *direct])

    def _member(self, group: Acceptance, a: int, b: int, c: int) -> Acceptance:
        member = replace(self._item(a, b, c, a + b), parent=group.id, retry_of="")
        self._items.append(member)
        return member

    def _stage(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any] | None:
        """A part of what is to be staged, or all of it; then the seal, sometimes too early."""
        if not self._unsealed:
            return None
        id, items = list(self._unsealed.items())[-1 - a % min(3, len(self._unsealed))]
        first = b % 3 if c % 4 == 3 else 0
        if c % 5 == 4:
            return lambda ledger: ledger.seal(id)
        return lambda ledger: (
            ledger.stage(id, first, items[first : first + 1 + d % 6]),
            d % 3 and ledger.seal(id),
        )

    def _settle(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        only = self._id(b) if a % 5 == 4 else ""
        return lambda ledger: ledger.settle(1 + b % 4, only)

    def _new_id(self, a: int, d: int) -> str:
        made_ms = self._now_ms() - (RETENTION_MS + 1_000 if a % 17 == 16 else 0)
        return uuid7.compose(max(made_ms, 0), len(self._items) * 8 + d % 8, a)

    def _reject(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        item = self._item(a, b, c, d)
        self._items.append(item)
        return lambda ledger: ledger.reject(item, '{"complaints": []}')

    def _bid(self, a: int, b: int, c: int) -> Bid:
        if not self._nonces or c % 4:
            self._nonces.append(f"nonce {len(self._nonces)}")
        nonce = self._nonces[-1 - (c // 4) % min(len(self._nonces), 4)]
        return Bid(
            _WORKERS[a % 3],
            _QUEUES[b % 3 :],
            self._fit(b),
            nonce,
            (10_000, 10_000, 3_000)[c % 3],
            (0, 5_000, 90_000)[a % 3],
        )

    def _fit(self, b: int) -> Fit:
        kinds = [(b // 4**n) % 4 for n in range(len(_SHAPES))]
        now, empty, never = (
            tuple(
                shape + mark
                for shape, kind in zip(_SHAPES, kinds, strict=True)
                if kind in wanted
                for mark in ("", "!")
            )
            for wanted in ((0, 3), (1,), (2,))
        )
        return Fit(now, empty, never)

    def _claim(self, a: int, b: int, c: int, _: int) -> Callable[[Ledger], Any]:
        bid = self._bid(a, b, c)
        return lambda ledger: ledger.claim(bid)

    def _lease(self, a: int) -> tuple[str, int]:
        """A lease, most often one of the newest; sometimes a stale one, or one that never was."""
        if not self._fences or a % 11 == 10:
            return (self._id(a), a)
        return self._fences[-1 - a % min(len(self._fences), 6)]

    def _id(self, a: int) -> str:
        return self._items[-1 - a % min(len(self._items), 12)].id if self._items else "no such job"

    def _renew(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        phases = ("", "prepare", "execute")
        held = {
            self._lease(c + n): Held(*self._lease(c + n), phases[d % 3], "0.5 é" * (d % 20))
            for n in range(d % 4)
        }
        said = Announcement(
            "host",
            _NAMES[a % 3],
            _QUEUES[b % 3 :],
            (2, 4, 0, 1)[c % 4],
            self._fit(b),
            '{"version": "1"}',
        )
        given_up = tuple(self._nonces[-3:-1]) if d % 5 == 4 else ()
        renewal = Renewal(
            _WORKERS[a % 3], said, tuple(held.values()), given_up, (10_000, 10_000, 40_000)[c % 3], 45_000
        )
        return lambda ledger: ledger.renew(renewal)

    def _commit(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        status = _ENDS[b % len(_ENDS)]
        wake_ms = self._now_ms() + (0, 2_000, 50_000)[c % 3] if status is Status.WAITING and c % 4 else 0
        reason = "user" if status in (Status.FAILED, Status.QUEUED, Status.WAITING) else ""
        commit = Commit(
            *self._lease(a), status, reason, "user:1" * (c % 14), wake_ms, '{"exit": 1}' * (d % 3)
        )
        if b % 4 == 3:
            commit = replace(commit, shape=_SHAPES[c % 4], memory_bytes=c << 20)
        bid = self._bid(a // 3, c, d) if d % 2 else None
        return lambda ledger: ledger.commit(commit, bid)

    def _release(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        id, fence = self._lease(a)
        return lambda ledger: ledger.release(id, fence, (0, 3_000)[b % 2], "{}" * (c % 2))

    def _cancel(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        ids = [self._id(a + n) for n in range(1 + b % 2)]
        return lambda ledger: ledger.cancel(ids)

    def _by_time(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        limit = 1 + b % 4
        if a % 3 == 0:
            return lambda ledger: ledger.wake(limit)
        if a % 3 == 1:
            return lambda ledger: ledger.suspect(limit)
        return lambda ledger: ledger.expire(limit)

    def _amend(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        ids = [self._id(a), self._id(b)]
        return lambda ledger: ledger.amend(ids, ("", *_QUEUES)[c % 4], (None, 0, 9)[d % 3])

    def _pause(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        queue, reason = _QUEUES[a % 3], ("", "a new disk: ünï")[c % 2]
        if b % 3 == 0:
            return lambda ledger: ledger.pause(queue, reason)
        return lambda ledger: ledger.resume(queue)

    def _confirm(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        records = self.memory.book.records
        ids = [self._id(a + n) for n in range(4)]
        written = [(id, (records[id].revision if id in records else 1) + (b % 5 == 4)) for id in ids]
        return lambda ledger: ledger.confirm(written)

    def _forget(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        ids = self.memory.retirable(5) if a % 3 else (self._id(b),)
        return lambda ledger: (ledger.retirable(5), ledger.forget(ids), ledger.queues(), ledger.kept(ids))

    def _purge(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        wanted = [Purge(self._id(a + n), _DIGESTS[(b + n) % 4]) for n in range(1 + c % 4)]
        return lambda ledger: (ledger.purge(wanted), ledger.kept([one.id for one in wanted]))

    def _touch(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        id, above = self._id(a), self.now_us + (-5_000_000, 5_000_000)[b % 2]
        return lambda ledger: ledger.touch(id, above)

    def _leave(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        worker = _WORKERS[a % 3]
        return lambda ledger: ledger.leave(worker)

    def _listen(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        worker = _WORKERS[a % 3]
        return lambda ledger: (ledger.listen(worker, 0), ledger.now_ms())

    def _drain(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        order = Drain(_NAMES[a % 3], ("", "a new disk: ünï", "x y")[b % 3], 7, (FOREVER, 0, 60_000)[c % 3])
        return lambda ledger: (ledger.drain(order), ledger.drains())

    def _undrain(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        name = _NAMES[a % 3]
        return lambda ledger: (ledger.undrain(name), ledger.drains())

    def _roll(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        """On by one or two most often; sometimes what another reconciler said long ago."""
        now = self.memory.book.generations
        current, oldest = now.current + (1, 0, 2, -1)[a % 4], now.oldest + (0, 1, -1, 5)[b % 4]
        return lambda ledger: (ledger.roll(current, oldest), ledger.generations())

    def _look(self, a: int, b: int, c: int, d: int) -> Callable[[Ledger], Any]:
        ids = [self._id(a + n) for n in range(6)]

        def look(ledger: Ledger) -> Any:
            pulse = ledger.pulse()
            places = [ledger.place(id) for id in ids]
            limits = ledger.limits(throttled.LOOKED_AT)
            return ledger.workers(), places, pulse.started, pulse.due, ledger.tallies(), limits

        return look

    def _audit(self, *_: int) -> Callable[[Ledger], Any]:
        return audited

    def _repeat(self, *_: int) -> Callable[[Ledger], Any]:
        """The answer was lost: the same call once more."""
        return self._last

    def _move_clock(self, a: int, b: int, *_: int) -> None:
        self.now_us += _MOVES_MS[a % len(_MOVES_MS)] * 1_000 + b % 7

    def _now_ms(self) -> int:
        return self.now_us // 1_000

    def _remember(self, answer: Any) -> None:
        claimed = getattr(answer, "claimed", answer)
        lease = getattr(claimed, "lease", None)
        if lease is not None:
            self._fences.append((lease.record.id, lease.record.fence))


def audited(ledger: Ledger) -> list[tuple[str, str]]:
    """All that an audit from end to end finds."""
    found: list[tuple[str, str]] = []
    cursor, is_first = "", True
    while cursor or is_first:
        is_first = False
        cursor, page = ledger.audit(cursor, 20)
        found += page
    return found
