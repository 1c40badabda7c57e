"""The ledger of the search: the real `Book`, one step at a time from a small state to a small state, each step judged.

The same step from the same state is taken once and remembered. A rule that a single step can break is checked here;
what takes the workers to see is checked in `world`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hysds.core import transitions
from hysds.core.book import Book
from hysds.core.errors import Internal
from hysds.core.record import Record, ready_score
from hysds.core.requests import (
    Accepting,
    Announcement,
    Bid,
    Commit,
    Committing,
    Fit,
    Held,
    Moved,
    Notice,
    Renewal,
    Standing,
)
from hysds.core.status import Status
from model.slim import (
    CLOCK_MS,
    IDS,
    LEASE_MS,
    OWNERS,
    QUEUE,
    QUEUED,
    SHAPE,
    STATUSES,
    TTL_MS,
    WAKE_MS,
    WALL_MS,
    Ledger,
    Plan,
    acceptance,
    book_of,
    ledger_of,
    nonce_text,
)

_FIT = Fit(now=(SHAPE,))
_NOTICES = {Notice.LOST.value: 1, Notice.CANCEL.value: 2}


class Violation(Exception):
    """A rule of the ledger is broken; the message says which, in words."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did. `answer` is the book's own; `notices`: (worker, kind, job, fence)."""

    ledger: Ledger
    answer: Any
    notices: tuple[tuple[int, int, int, int], ...]
    made_ready: int


class LedgerModel:
    """One search's ledger: which book, which jobs."""

    def __init__(self, plans: tuple[Plan, ...], make: Callable[[], Book]) -> None:
        self.plans = plans
        self._make = make
        self._known: dict[tuple[object, ...], Step] = {}
        self._last: tuple[object, ...] = ()

    def submit(self, ledger: Ledger, job: int, now_us: int) -> Step:
        """The client hands a job in, for the first time or again."""
        item = acceptance(self.plans[job], job)
        return self._take(ledger, now_us, ("submit", job), lambda book: book.accept([item], 10**9, now_us))

    def claim(self, ledger: Ledger, worker: int, nonce: int, now_us: int) -> Step:
        bid = Bid(OWNERS[worker], (QUEUE,), _FIT, nonce_text(nonce), LEASE_MS, 10**9)
        return self._take(ledger, now_us, ("claim", worker, nonce), lambda book: book.claim(bid, now_us))

    def renew(
        self, ledger: Ledger, worker: int, held: tuple[int, int] | None, given: int, now_us: int
    ) -> Step:
        """`held`: (job, fence); `given`: a nonce given up, or 0."""
        free = _FIT if held is None else Fit()
        announcement = Announcement("host", OWNERS[worker], (QUEUE,), 1, free)
        leases = (Held(IDS[held[0]], held[1]),) if held else ()
        nonces = (nonce_text(given),) if given else ()
        renewal = Renewal(OWNERS[worker], announcement, leases, nonces, LEASE_MS, 10 * LEASE_MS)
        step = self._take(
            ledger, now_us, ("renew", worker, held, given), lambda book: book.renew(renewal, now_us)
        )
        if held is not None:
            self._check_standing(ledger, worker, held, step.answer.standings[0])
        return step

    def commit(
        self, ledger: Ledger, worker: int, lease: tuple[int, int], status: Status, now_us: int
    ) -> Step:
        """The commit of `lease` (job, fence), leading to `status`."""
        job, fence = lease
        fails = "user:1" if status in (Status.QUEUED, Status.WAITING) else ""
        wake_ms = WAKE_MS if status is Status.WAITING else 0
        commit = Commit(IDS[job], fence, status, "user" if status is Status.FAILED else "", fails, wake_ms)
        step = self._take(
            ledger, now_us, ("commit", worker, lease, status), lambda book: book.commit(commit, None, now_us)
        )
        self._check_owner(ledger, step, worker, lease, "committed")
        self._check_commit(ledger, step, lease, status)
        return step

    def release(self, ledger: Ledger, worker: int, lease: tuple[int, int], now_us: int) -> Step:
        job, fence = lease
        step = self._take(
            ledger,
            now_us,
            ("release", worker, lease),
            lambda book: book.release(IDS[job], fence, 0, "", now_us),
        )
        self._check_owner(ledger, step, worker, lease, "released")
        return step

    def cancel(self, ledger: Ledger, job: int, now_us: int) -> Step:
        return self._take(ledger, now_us, ("cancel", job), lambda book: book.cancel([IDS[job]], now_us))

    def wake(self, ledger: Ledger, now_us: int) -> Step:
        """The time of all waiting jobs has come."""
        later_us = now_us + (WAKE_MS - WALL_MS) * 1000
        return self._take(ledger, now_us, ("wake",), lambda book: book.wake(10, later_us))

    def outlive(self, ledger: Ledger, now_us: int) -> Step:
        """The ttl of all unclaimed jobs is over."""
        later_us = now_us + (TTL_MS - WALL_MS) * 1000
        return self._take(ledger, now_us, ("outlive",), lambda book: book.expire(10, later_us))

    def expire(self, ledger: Ledger, job: int, now_us: int) -> Step:
        """One lease has run out, all others were renewed."""

        def run_out(book: Book) -> Moved:
            record = replace(book.records[IDS[job]], lease_ms=CLOCK_MS)
            book.records[record.id], book.places.leases[record.id] = record, CLOCK_MS
            return book.expire(10, now_us)

        step = self._take(ledger, now_us, ("expire", job), run_out)
        _check_budget(ledger, step.ledger)
        return step

    def gone(self, ledger: Ledger, now_us: int) -> Step:
        """Owners that died are proved dead."""
        step = self._take(ledger, now_us, ("gone",), lambda book: book.leave("dead", now_us))
        _check_budget(ledger, step.ledger)
        return step

    def last(self) -> str:
        """The step that was asked for last, in words: where a trace ends."""
        match self._last:
            case ("submit" | "cancel" | "expire" as what, int(job)):
                return {"submit": "submit", "cancel": "cancel", "expire": "the end of the lease of"}[
                    what
                ] + f" job {job + 1}"
            case ("commit" | "release" as what, int(worker), (int(job), int()), *status):
                return f"{what} by {OWNERS[worker]} of job {job + 1} {' '.join(map(str, status))}".rstrip()
            case ("claim" | "renew" as what, int(worker), *_):
                return f"{what} by {OWNERS[worker]}"
            case (str(what), *_):
                return what
        return "nothing"

    def _take(
        self, ledger: Ledger, now_us: int, name: tuple[object, ...], act: Callable[[Book], object]
    ) -> Step:
        self._last = name
        key = (ledger, now_us, *name)
        known = self._known.get(key)
        if known is not None:
            return known
        book = book_of(ledger, self.plans, self._make)
        before = dict(book.records)
        try:
            answer = act(book)
        except Internal as error:
            raise Violation(f"the table of transitions is disobeyed: {error}") from error
        _check_step(before, book, IDS[: len(self.plans)])
        _check_answer(before, book, answer)
        notices = tuple(
            _notice(worker, text)
            for worker, box in book.floor.inboxes.items()
            for text in box
            if text != Notice.WAKE.value
        )
        made = sum(
            before.get(id, record).status is not Status.QUEUED or id not in before
            for id, record in book.records.items()
            if record.status is Status.QUEUED
        )
        after = ledger_of(book, self.plans)
        self._check_key(after)
        step = self._known[key] = Step(after, answer, notices, made)
        return step

    def _check_key(self, ledger: Ledger) -> None:
        if ledger.key:
            status = STATUSES[ledger.jobs[ledger.key - 1].status]
            if status is None or (status.is_terminal and status is not Status.COMPLETED):
                raise Violation(f"the dedup key names job {ledger.key}, which is {status}")
        for job, (slim, plan) in enumerate(zip(ledger.jobs, self.plans, strict=True), 1):
            status = STATUSES[slim.status]
            stands = status is Status.COMPLETED or (status is not None and not status.is_terminal)
            if plan.dedup and not plan.forced and stands and ledger.key != job:
                named = f"names job {ledger.key}" if ledger.key else "is free"
                raise Violation(f"job {job} is {status} and stands for its dedup key, but the key {named}")

    def _check_owner(self, old: Ledger, step: Step, worker: int, lease: tuple[int, int], done: str) -> None:
        if old == step.ledger:
            return
        slim = old.jobs[lease[0]]
        if STATUSES[slim.status] is not Status.STARTED or slim.owner != worker or slim.fence != lease[1]:
            raise Violation(
                f"{OWNERS[worker]} {done} job {lease[0] + 1} under a lease that is not its live one"
            )

    def _check_commit(self, old: Ledger, step: Step, lease: tuple[int, int], status: Status) -> None:
        slim = old.jobs[lease[0]]
        asked = bool(slim.cancel)
        if step.answer.how is Committing.DONE and status is Status.REVOKED and not asked:
            raise Violation(f"job {lease[0] + 1} was revoked, and nobody asked for it")

    def _check_standing(self, old: Ledger, worker: int, held: tuple[int, int], standing: Standing) -> None:
        slim = old.jobs[held[0]]
        live = STATUSES[slim.status] is Status.STARTED and slim.owner == worker and slim.fence == held[1]
        if live != (standing is not Standing.LOST):
            raise Violation(
                f"renew answered {standing.value} to {OWNERS[worker]} for a lease of job {held[0] + 1} that is "
                + ("live" if live else "not its live one")
            )


def _check_budget(old: Ledger, new: Ledger) -> None:
    for job, (before, after) in enumerate(zip(old.jobs, new.jobs, strict=True), 1):
        if before.status != after.status == QUEUED and after.lost_left >= before.lost_left:
            raise Violation(f"job {job} lost its worker, and that cost nothing of its budget")


def _check_answer(before: dict[str, Record], book: Book, answer: Any) -> None:
    lease = getattr(answer, "lease", None)
    if lease is not None:
        stored = book.records[lease.record.id]
        if lease.record.status is not Status.STARTED or stored.fence != lease.record.fence:
            raise Violation(f"claim handed out a dead lease of job {IDS.index(lease.record.id) + 1}")
    for item in getattr(answer, "answers", ()):
        if getattr(item, "how", None) is Accepting.REPEATED and before != book.records:
            raise Violation("a repeated submission changed the record")


def _check_step(before: dict[str, Record], book: Book, ids: tuple[str, ...]) -> None:
    for job, id in enumerate(ids, 1):
        old, new = before.get(id), book.records.get(id)
        if new is None:
            if old is not None:
                raise Violation(f"the record of job {job} is gone")
            continue
        if old is not None and old != new:
            _check_change(job, old, new)
        _check_places(job, new, book)


def _check_change(job: int, old: Record, new: Record) -> None:
    if old.status.is_terminal:
        raise Violation(f"job {job} was {old.status.value} and became {new.status.value}")
    if not any(new.status in table.get(old.status, ()) for table in transitions.TABLE.values()):
        raise Violation(f"no step leads from {old.status.value} to {new.status.value} (job {job})")
    claimed = new.status is Status.STARTED and old.status is not Status.STARTED
    if new.fence < old.fence or (claimed and new.fence == old.fence):
        raise Violation(f"the fence of job {job} did not grow: {old.fence} → {new.fence}")
    shows = (old.status, old.owner, old.cancel) != (new.status, new.owner, new.cancel)
    if shows and new.revision <= old.revision:
        raise Violation(f"job {job} changed and its revision did not grow")
    if new.status is Status.REVOKED and not new.cancel:
        raise Violation(f"job {job} was revoked, and nobody asked for it")


def _check_places(job: int, record: Record, book: Book) -> None:
    """Exactly one of ready, due (waiting) and lease, compared with the real sets, and nothing left over."""
    ready = [pair for pair, entries in book.places.ready.items() for _, id in entries if id == record.id]
    leased, due = book.places.leases.get(record.id), book.places.due.get(record.id)
    status = record.status
    stands = [*(["ready"] * len(ready)), *(["leased"] if leased is not None else [])]
    if due is not None and status is not Status.QUEUED:
        stands.append("due")
    should = {Status.QUEUED: ["ready"], Status.WAITING: ["due"], Status.STARTED: ["leased"]}.get(status, [])
    if stands != should:
        raise Violation(f"job {job} is {status.value} and stands in {stands or 'no set'}, not in {should}")
    times = [record.ttl_ms, record.deadline_ms, record.wake_ms if status is Status.WAITING else 0]
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


def _notice(worker: str, text: str) -> tuple[int, int, int, int]:
    kind, id, fence = text.split()
    return OWNERS.index(worker), _NOTICES[kind], IDS.index(id), int(fence)
