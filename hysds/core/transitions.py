"""The allowed transitions, as one table, and what each does to a record.

Every function here is pure: a record in, a record out. `book.py` finds the records and keeps the sets; the Lua scripts
of the Redis ledger do the same in one step there, and one contract suite holds both to this page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hysds.core import limit_keys, shapes
from hysds.core.errors import Internal
from hysds.core.record import FOREVER, Attempt, Record
from hysds.core.requests import Acceptance, Bid, Commit, Held
from hysds.core.status import TERMINAL, Status

_QUEUED, _WAITING, _STARTED = Status.QUEUED, Status.WAITING, Status.STARTED
_COMPLETED, _FAILED, _REVOKED, _DEDUPED = Status.COMPLETED, Status.FAILED, Status.REVOKED, Status.DEDUPED
_BACK = frozenset({_QUEUED, _FAILED, _REVOKED})

TABLE: Mapping[str, Mapping[Status | None, frozenset[Status]]] = {
    "accept": {None: frozenset({_QUEUED, _WAITING, _DEDUPED, _REVOKED})},
    "reject": {None: frozenset({_FAILED})},
    "claim": {_QUEUED: frozenset({_STARTED})},
    "renew": {_STARTED: frozenset({_STARTED})},
    "commit": {_STARTED: frozenset({_COMPLETED, _FAILED, _REVOKED, _QUEUED, _WAITING})},
    "release": {_STARTED: _BACK | {_WAITING}},
    "cancel": {
        _QUEUED: frozenset({_REVOKED}),
        _WAITING: frozenset({_REVOKED, _WAITING}),
        _STARTED: frozenset({_STARTED}),
    },
    "seal": {_WAITING: frozenset({_WAITING})},
    "abort": {_WAITING: frozenset({_REVOKED})},
    "free": {_WAITING: frozenset({_QUEUED, _WAITING, _REVOKED})},
    "members": {_WAITING: frozenset({_WAITING, _COMPLETED, _FAILED, _REVOKED})},
    "wake": {_WAITING: frozenset({_QUEUED, _WAITING})},
    "limit": {_QUEUED: frozenset({_WAITING})},
    "suspect": {_STARTED: frozenset({_STARTED})},
    "expire": {_STARTED: _BACK, _QUEUED: frozenset({_FAILED}), _WAITING: frozenset({_FAILED})},
    "amend": {_QUEUED: frozenset({_QUEUED}), _WAITING: frozenset({_WAITING})},
    "touch": {status: frozenset({status}) for status in Status},
    "retry": {status: frozenset({status}) for status in TERMINAL},
}
"""Step → status before (None: no record) → statuses after."""


def step(record: Record, name: str, now_us: int, **changes: Any) -> Record:
    """The record after a step that others can see: a revision above the last, the table obeyed.

    Raises: Internal where the table does not allow the step.
    """
    after = replace(record, revision=hybrid(record.revision, now_us), **changes)
    allow(name, record.status, after.status)
    return after


def allow(name: str, before: Status | None, after: Status) -> None:
    """Raises: Internal where the table has no such transition."""
    if after not in TABLE[name].get(before, frozenset()):
        raise Internal(f"{name} may not lead from {before} to {after}")


def hybrid(last: int, now_us: int) -> int:
    """The next tick of a hybrid clock: grows even when the wall clock steps back or a failover forgot the last."""
    return max(last + 1, now_us)


def accepted(item: Acceptance, generation: int, now_us: int) -> Record:
    """Nothing to ready, or to waiting where the job may not start yet."""
    now_ms = now_us // 1000
    waits = item.wake_ms > now_ms
    return replace(
        born(item, "accept", _WAITING if waits else _QUEUED, generation, now_us),
        reason="time" if waits else "",
        ready_ms=0 if waits else now_ms,
        wake_ms=item.wake_ms if waits else 0,
        ttl_ms=now_ms + item.ttl_for_ms if item.ttl_for_ms else 0,
        deadline_ms=_deadline_ms(item, now_ms),
    )


def _deadline_ms(item: Acceptance, now_ms: int) -> int:
    ends = [item.deadline_ms, now_ms + item.deadline_for_ms if item.deadline_for_ms else 0]
    return min((end for end in ends if end), default=0)


def deduped(item: Acceptance, twin: tuple[str, str], generation: int, now_us: int) -> Record:
    """Nothing to a duplicate of `twin`: the job that stands for it, and that job's status."""
    record = born(item, "accept", _DEDUPED, generation, now_us)
    return replace(record, ended_ms=now_us // 1000, dedup_job=twin[0], dedup_status=twin[1])


def rejected(item: Acceptance, generation: int, now_us: int) -> Record:
    """Nothing to failed: the submission was refused."""
    record = born(item, "reject", _FAILED, generation, now_us)
    return replace(record, ended_ms=now_us // 1000, reason="invalid")


def claimed(record: Record, bid: Bid, clock_ms: int, now_us: int) -> Record:
    """Queued to started: a new fence, a lease from `clock_ms` on the ledger's clock; the ttl has done its work."""
    return step(
        record,
        "claim",
        now_us,
        status=_STARTED,
        fence=hybrid(record.fence, now_us),
        owner=bid.worker,
        nonce=bid.nonce,
        claims=record.claims + 1,
        lease_ms=clock_ms + bid.lease_ms,
        lease_for_ms=bid.lease_ms,
        started_ms=now_us // 1000,
        ttl_ms=0,
        wake_ms=0,
        reason="",
        reserved_by="",
        reserved_ms=0,
    )


def renewed(record: Record, held: Held, clock_ms: int, lease_for_ms: int, now_us: int) -> Record:
    """A longer lease from `clock_ms` on the ledger's clock; a new revision only where something shows: a phase,
    progress, or an end of silence."""
    later = replace(record, lease_ms=clock_ms + lease_for_ms, lease_for_ms=lease_for_ms)
    if (record.suspect, record.phase, record.progress) == (False, held.phase, held.progress):
        return later
    return step(later, "renew", now_us, suspect=False, phase=held.phase, progress=held.progress)


def committed(record: Record, commit: Commit, now_us: int) -> Record:
    """Started to where the commit says, or revoked where a cancel was asked and the job did not complete."""
    status, reason = commit.status, commit.reason
    if record.cancel and status is not _COMPLETED:
        status, reason = _REVOKED, "cancelled"
    if not status.is_terminal:
        record = _resized(record, commit)
    return step(
        _unowned(record, now_us // 1000 if status.is_terminal else 0),
        "commit",
        now_us,
        status=status,
        committed=record.fence,
        reason=_reason(status, reason),
        fails=commit.fails,
        wake_ms=(commit.wake_ms or now_us // 1000) if status is _WAITING else 0,
        ready_ms=_next_place(status, record, now_us),
    )


def released(record: Record, wake_ms: int, now_us: int) -> Record:
    """Started to ready again with its old place: no attempt is burned, only the `preempted` budget."""
    if record.cancel:
        return ended(record, "release", _REVOKED, "cancelled", now_us)
    if record.preempt_left == 0:
        return ended(record, "release", _FAILED, "preempted", now_us)
    left = record.preempt_left if record.preempt_left == FOREVER else record.preempt_left - 1
    return step(
        _unowned(record, 0),
        "release",
        now_us,
        status=_WAITING if wake_ms else _QUEUED,
        reason="time" if wake_ms else "",
        wake_ms=wake_ms,
        preempt_left=left,
    )


def returned(record: Record, now_us: int) -> Record:
    """A lease that nobody ever used, back to where it was: its nonce was given up."""
    if record.cancel:
        return ended(record, "release", _REVOKED, "cancelled", now_us)
    return step(_unowned(record, 0), "release", now_us, status=_QUEUED)


def lost(record: Record, now_us: int) -> Record:
    """A lease that ran out, or whose owner is proved dead."""
    if record.cancel:
        return ended(record, "expire", _REVOKED, "cancelled", now_us)
    if record.lost_left == 0:
        return ended(record, "expire", _FAILED, "worker-lost", now_us)
    left = record.lost_left - 1
    # Whoever ran beside it was lost too: whose fault it was shows when each runs its last attempt alone.
    shape = shapes.alone(record.shape) if left == 0 else record.shape
    return step(_unowned(record, 0), "expire", now_us, status=_QUEUED, lost_left=left, shape=shape)


def outlived(record: Record, now_us: int) -> Record:
    """An unclaimed job past its ttl or deadline."""
    return ended(record, "expire", _FAILED, "timeout", now_us)


def cancelled(record: Record, now_us: int) -> Record:
    """Unclaimed: revoked. Started: marked, and every way out but `completed` will end revoked."""
    if record.status is _STARTED:
        return step(record, "cancel", now_us, cancel=True)
    return ended(replace(record, cancel=True), "cancel", _REVOKED, "cancelled", now_us)


def woken(record: Record, now_us: int) -> Record:
    """Waiting to ready: its place counts from when it was due, or from when it was ready before (a delayed release)."""
    ready_ms = record.ready_ms or record.wake_ms
    return step(record, "wake", now_us, status=_QUEUED, reason="", wake_ms=0, ready_ms=ready_ms)


def limited(record: Record, throttle: str, now_us: int) -> Record:
    """Ready to waiting for a place or a token; its place in time stays."""
    return step(record, "limit", now_us, status=_WAITING, reason=throttle)


def suspected(record: Record, now_us: int) -> Record:
    """Half the lease is gone without a word: shown as `job-offline`, nothing else changes."""
    return step(record, "suspect", now_us, suspect=True)


def touched(record: Record, above: int, now_us: int) -> Record:
    """A revision above one that a store holds from a lost future; it must be confirmed anew."""
    raised = replace(record, revision=max(record.revision, above))
    return step(raised, "touch", now_us, status=record.status, confirmed=False)


def retried(record: Record, by: str, now_us: int) -> Record:
    """An ended job learns which one does it again; it must be confirmed anew."""
    return step(record, "retry", now_us, retried_by=by, confirmed=False)


def amended(record: Record, queue: str, priority: int | None, now_us: int) -> Record:
    """Another queue ("" keeps it) or priority (None keeps it); the place in time stays."""
    return step(
        record,
        "amend",
        now_us,
        queue=queue or record.queue,
        priority=record.priority if priority is None else priority,
    )


def attempt(record: Record, how: str, now_us: int, detail: str = "") -> Attempt:
    """The entry that a started record's end leaves behind."""
    return Attempt(record.fence, record.owner, record.started_ms, now_us // 1000, how, detail)


def born(item: Acceptance, name: str, status: Status, generation: int, now_us: int) -> Record:
    """The record that the step `name` makes of a submission.

    Raises: Internal where the table does not allow the step to lead there.
    """
    allow(name, None, status)
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
        accepted_ms=now_us // 1000,
        dedup=item.dedup,
        window_ms=item.window_ms,
        retry_of=item.retry_of,
        kind=item.kind,
        parent=item.parent,
        generation=generation,
        limits=limit_keys.written_limits(item.limits),
        rates=limit_keys.written_rates(item.rates),
    )


def _resized(record: Record, commit: Commit) -> Record:
    """What the next attempt gets, where the commit asks for more than this one had."""
    shape = commit.shape or record.shape
    return replace(
        record,
        shape=shapes.alone(shape) if shapes.is_alone(record.shape) else shape,
        memory_bytes=commit.memory_bytes or record.memory_bytes,
    )


def _next_place(status: Status, record: Record, now_us: int) -> int:
    """A retry is ready anew: now, or (0) when its time comes."""
    if status is _WAITING:
        return 0
    return now_us // 1000 if status is _QUEUED else record.ready_ms


def _reason(status: Status, reason: str) -> str:
    if status in (_COMPLETED, _QUEUED):
        return ""
    return "time" if status is _WAITING else reason


def _unowned(record: Record, ended_ms: int) -> Record:
    return replace(
        record,
        owner="",
        nonce="",
        lease_ms=0,
        lease_for_ms=0,
        suspect=False,
        phase="",
        progress="",
        ended_ms=ended_ms,
    )


def ended(record: Record, name: str, status: Status, reason: str, now_us: int) -> Record:
    """The end of a live job by another way than its own commit.

    Raises: Internal where the table does not allow the step `name` to lead there.
    """
    unowned = _unowned(record, now_us // 1000)
    return step(unowned, name, now_us, status=status, reason=reason, wake_ms=0, reserved_by="", reserved_ms=0)
