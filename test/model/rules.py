"""The rules that a single step of the ledger can break, each told in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hysds.core import transitions
from hysds.core.book import Book
from hysds.core.floor_requests import Notice
from hysds.core.kin_transitions import DEPENDENCY
from hysds.core.record import Record, ready_score
from hysds.core.requests import FINISHED, Accepting, Claimed
from hysds.core.shapes import is_alone
from hysds.core.status import Status
from hysds.core.throttle_values import line_of, terms, waits_in_line
from model.slim import (
    IDS,
    LARGER,
    OWNERS,
    QUEUED,
    STARTED,
    STATUSES,
    Ledger,
    Plan,
    is_drained,
)


class Violation(Exception):
    """A rule of the ledger is broken; the message says which, in words."""


def check_drained(old: Ledger, worker: int, nonce: int, answer: Claimed) -> None:
    """Nothing but the lease that this very wish won before."""
    if answer.drain is None:
        raise Violation(f"{OWNERS[worker]} is drained, and its claim does not say so")
    if answer.lease is not None:
        slim = old.jobs[IDS.index(answer.lease.record.id)]
        if (STATUSES[slim.status], slim.owner, slim.nonce) != (Status.STARTED, worker, nonce):
            raise Violation(f"{OWNERS[worker]} is drained, and was given a job")


def check_woken(after: Ledger, book: Book) -> None:
    for worker in (1, 2):
        if is_drained(after, worker) and Notice.WAKE.value in book.floor.inboxes.get(OWNERS[worker], ()):
            raise Violation(f"{OWNERS[worker]} is drained, and was woken for a job")


def check_budget(old: Ledger, new: Ledger) -> None:
    for job, (before, after) in enumerate(zip(old.jobs, new.jobs, strict=True), 1):
        if (before.status, after.status) == (STARTED, QUEUED) and after.lost_left >= before.lost_left:
            raise Violation(f"job {job} lost its worker, and that cost nothing of its budget")


def check_answer(before: dict[str, Record], book: Book, answer: Any) -> None:
    lease = getattr(answer, "lease", None)
    if lease is not None:
        stored = book.records[lease.record.id]
        if lease.record.status is not Status.STARTED or stored.fence != lease.record.fence:
            raise Violation(f"claim handed out a dead lease of job {IDS.index(lease.record.id) + 1}")
    for item in getattr(answer, "answers", ()):
        if getattr(item, "how", None) is Accepting.REPEATED and before != book.records:
            raise Violation("a repeated submission changed the record")


def check_step(before: dict[str, Record], book: Book, ids: tuple[str, ...]) -> None:
    for job, id in enumerate(ids, 1):
        old, new = before.get(id), book.records.get(id)
        if new is None:
            if old is not None and not (old.status.is_terminal and old.confirmed):
                raise Violation(f"the record of job {job} is gone")
            continue
        if old is not None and old != new:
            check_change(job, old, new)
            if old.status.is_terminal and (new.confirmed or id in book.retire):
                raise Violation(f"job {job} changed and may be forgotten before the store knows")
        check_places(job, new, book)


def check_change(job: int, old: Record, new: Record) -> None:
    if old.status.is_terminal:
        linked = replace(old, retried_by=new.retried_by, revision=new.revision, confirmed=new.confirmed)
        if linked != new:
            raise Violation(f"job {job} was {old.status.value} and became {new.status.value}")
        if new.revision <= old.revision:
            raise Violation(f"job {job} changed and its revision did not grow")
        return
    if new.memory_bytes < old.memory_bytes or (new.shape.removesuffix("!") == LARGER) != (
        new.memory_bytes > 0
    ):
        raise Violation(
            f"job {job} has memory {new.memory_bytes} in shape {new.shape}, and had {old.memory_bytes}"
        )
    if new.lost_left == 0 < old.lost_left and not is_alone(new.shape):
        raise Violation(f"job {job} has one lease left to lose, and need not run alone")
    was_called = waits_in_line(old) and new.status is Status.STARTED  # two steps, in one claim
    if not was_called and not any(
        new.status in table.get(old.status, ()) for table in transitions.TABLE.values()
    ):
        raise Violation(f"no step leads from {old.status.value} to {new.status.value} (job {job})")
    claimed = new.status is Status.STARTED and old.status is not Status.STARTED
    if new.fence < old.fence or (claimed and new.fence == old.fence):
        raise Violation(f"the fence of job {job} did not grow: {old.fence} → {new.fence}")
    shows = (old.status, old.owner, old.cancel) != (new.status, new.owner, new.cancel)
    if shows and new.revision <= old.revision:
        raise Violation(f"job {job} changed and its revision did not grow")
    if new.status is Status.REVOKED and not new.cancel and not new.reason.startswith(DEPENDENCY):
        raise Violation(f"job {job} was revoked, and nobody asked for it")


def check_limits(book: Book) -> None:
    """No key has more holders than places, only started jobs hold any, and no place is free beside who waits for it."""
    records = book.records.values()
    for name, known in book.throttles.known.items():
        naming = [one for one in records if name in dict(terms(one))]
        started = {one.id for one in naming if one.status is Status.STARTED}
        if set(book.throttles.holders.get(name, ())) != started:
            raise Violation(f"other jobs hold the places of {name} than those that are started")
        if len(started) > known.places:
            raise Violation(f"{len(started)} jobs of {name} are started, and it has {known.places} places")
        waits = [one for one in naming if waits_in_line(one) and book.throttles.at.get(line_of(one)) == name]
        is_called = any(one.status is Status.QUEUED for one in naming)
        if waits and len(started) < known.places and not is_called:
            raise Violation(f"{name} has a free place, a job waits for it, and nobody is called")
    for one in records:
        if waits_in_line(one) and line_of(one) not in book.throttles.at:
            raise Violation("a job waits in a line that waits for nothing")


def check_after(book: Book, plans: Sequence[Plan]) -> None:
    """Who comes after the first job starts when that has ended as it must, and is revoked when it has ended else."""
    first = book.records.get(IDS[0])
    for job, (id, plan) in enumerate(zip(IDS, plans, strict=False), 1):
        record = book.records.get(id)
        if not plan.after or record is None:
            continue
        if first is None:
            raise Violation(f"job {job} comes after a job that nobody knows")
        is_met = first.status.is_terminal and (plan.after == FINISHED or first.status is Status.COMPLETED)
        if record.after_left and (
            first.status.is_terminal or id not in book.kin.dependents.get(first.id, ())
        ):
            raise Violation(f"job {job} waits for job 1, and nothing ever frees it")
        if not record.after_left and not record.status.is_terminal and not is_met:
            raise Violation(f"job {job} may start, and job 1 is {first.status.value}")
        if record.reason.startswith(DEPENDENCY) and is_met:
            raise Violation(f"job {job} was revoked for job 1, which is {first.status.value}")


def check_places(job: int, record: Record, book: Book) -> None:
    """Exactly one of ready, due (waiting) and lease, compared with the real sets, and nothing left over."""
    ready = [pair for pair, entries in book.places.ready.items() for _, id in entries if id == record.id]
    leased, due = book.places.leases.get(record.id), book.places.due.get(record.id)
    status = record.status
    stands = [*(["ready"] * len(ready)), *(["leased"] if leased is not None else [])]
    in_line = any(id == record.id for entries in book.throttles.lines.values() for _, id in entries)
    if in_line:
        stands.append("line")
    if due is not None and status is not Status.QUEUED and not in_line:
        stands.append("due")
    waits = "line" if waits_in_line(record) else "due"
    should = {Status.QUEUED: ["ready"], Status.WAITING: [waits], Status.STARTED: ["leased"]}.get(status, [])
    if record.after_left and record.ttl_ms == record.deadline_ms == 0:
        should = []
    if stands != should:
        raise Violation(f"job {job} is {status.value} and stands in {stands or 'no set'}, not in {should}")
    wakes = status is Status.WAITING and not record.after_left
    times = [record.ttl_ms, record.deadline_ms, record.wake_ms if wakes else 0]
    first = min((ms for ms in times if ms), default=None) if status is not Status.STARTED else None
    if not status.is_terminal and due != first:
        raise Violation(f"job {job} is {status.value} with a due entry {due}, not {first}")
    if status is Status.QUEUED:
        entry = (ready_score(record), record.id)
        if entry not in book.places.ready.get((record.queue, record.shape), []):
            raise Violation(f"job {job} is ready in a wrong place")
    if leased is not None and leased != record.lease_ms:
        raise Violation(
            f"the lease of job {job} ends at {leased} in the set, at {record.lease_ms} in the record"
        )
