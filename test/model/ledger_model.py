"""The ledger of the search: the real `Book`, one step at a time from a small state to a small state, each step judged.

The same step from the same state is taken once and remembered. A rule that a single step can break is checked here;
what takes the workers to see is checked in `world`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hysds.core.book import Book
from hysds.core.errors import Internal
from hysds.core.floor_requests import Announcement, Drain, Fit, Notice
from hysds.core.requests import Accepting, Bid, Commit, Committing, Held, Moved, Purge, Renewal, Standing
from hysds.core.shapes import alone
from hysds.core.status import Status
from model import rules
from model.rules import Violation
from model.slim import (
    CLOCK_MS,
    DIGEST,
    IDS,
    LARGER,
    LEASE_MS,
    MEMORY,
    OWNERS,
    QUEUE,
    QUEUED,
    SHAPE,
    STATUSES,
    TERMINAL,
    TTL_MS,
    WAITING,
    WAKE_MS,
    WALL_MS,
    Ledger,
    Plan,
    acceptance,
    book_of,
    is_drained,
    ledger_of,
    nonce_text,
)

_FIT = Fit(now=(SHAPE, LARGER, alone(SHAPE), alone(LARGER)))
_NOTICES = {Notice.LOST.value: 1, Notice.CANCEL.value: 2}


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
        step = self._take(ledger, now_us, ("submit", job), lambda book: book.accept([item], 10**9, now_us))
        if self.plans[job].retries and step.ledger != ledger:
            self._check_retry(ledger, step, job)
        return step

    def claim(self, ledger: Ledger, worker: int, nonce: int, now_us: int) -> Step:
        bid = Bid(OWNERS[worker], (QUEUE,), _FIT, nonce_text(nonce), LEASE_MS, 10**9)
        step = self._take(ledger, now_us, ("claim", worker, nonce), lambda book: book.claim(bid, now_us))
        if is_drained(ledger, worker):
            rules.check_drained(ledger, worker, nonce, step.answer)
        return step

    def drain(self, ledger: Ledger, worker: int, now_us: int) -> Step:
        order = Drain(OWNERS[worker])
        return self._take(ledger, now_us, ("drain", worker), lambda book: book.drain(order, now_us))

    def undrain(self, ledger: Ledger, worker: int, now_us: int) -> Step:
        name = OWNERS[worker]
        return self._take(ledger, now_us, ("undrain", worker), lambda book: book.undrain(name, now_us))

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
        if is_drained(ledger, worker) != (step.answer.drain is not None):
            raise Violation(f"{OWNERS[worker]} is drained or not, and its renewal does not say so")
        return step

    def commit(
        self, ledger: Ledger, worker: int, lease: tuple[int, int], status: Status, now_us: int
    ) -> Step:
        """The commit of `lease` (job, fence), leading to `status`."""
        job, fence = lease
        fails = "user:1" if status in (Status.QUEUED, Status.WAITING) else ""
        wake_ms = WAKE_MS if status is Status.WAITING else 0
        commit = Commit(IDS[job], fence, status, "user" if status is Status.FAILED else "", fails, wake_ms)
        if self.plans[job].grows and fails:
            commit = replace(commit, shape=LARGER, memory_bytes=MEMORY)
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

    def purge(self, ledger: Ledger, job: int, now_us: int) -> None:
        """A purge of one job: judged, and no more, as after it the job is as if it had never been."""
        wanted = [Purge(IDS[job], DIGEST)]
        step = self._take(ledger, now_us, ("purge", job), lambda book: book.purge(wanted, now_us))
        is_live = ledger.jobs[job].status not in TERMINAL
        if is_live and step.ledger != ledger:
            raise Violation(f"job {job + 1} had not ended, and was changed by a purge")
        if not is_live and step.ledger.jobs[job].status:
            raise Violation(f"job {job + 1} had ended, and its purge left it")
        if not is_live and step.ledger.key == job + 1:
            raise Violation(f"job {job + 1} was purged, and the dedup key still names it")

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
        rules.check_budget(ledger, step.ledger)
        return step

    def gone(self, ledger: Ledger, now_us: int) -> Step:
        """Owners that died are proved dead."""
        step = self._take(ledger, now_us, ("gone",), lambda book: book.leave("dead", now_us))
        rules.check_budget(ledger, step.ledger)
        return step

    def last(self) -> str:
        """The step that was asked for last, in words: where a trace ends."""
        match self._last:
            case ("submit" | "cancel" | "purge" | "expire" as what, int(job)):
                return ("the end of the lease of" if what == "expire" else what) + f" job {job + 1}"
            case ("commit" | "release" as what, int(worker), (int(job), int()), *status):
                return f"{what} by {OWNERS[worker]} of job {job + 1} {' '.join(map(str, status))}".rstrip()
            case ("claim" | "renew" | "drain" | "undrain" as what, int(worker), *_):
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
        rules.check_step(before, book, IDS[: len(self.plans)])
        rules.check_limits(book)
        rules.check_after(book, self.plans)
        rules.check_answer(before, book, answer)
        notices = tuple(
            _notice(worker, text)
            for worker, box in book.floor.inboxes.items()
            for text in box
            if text not in (Notice.WAKE.value, Notice.DRAIN.value)
        )
        made = sum(
            before.get(id, record).status is not Status.QUEUED or id not in before
            for id, record in book.records.items()
            if record.status is Status.QUEUED
        )
        after = ledger_of(book, self.plans)
        self._check_key(after)
        rules.check_woken(after, book)
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
            stands = stands and not slim.retried  # then the retry stands for what it does again
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
        again = step.ledger.jobs[lease[0]]
        comes_back = step.answer.how is Committing.DONE and again.status in (QUEUED, WAITING)
        if comes_back and self.plans[lease[0]].grows and not again.grown:
            raise Violation(f"job {lease[0] + 1} does not get the memory that its commit names")

    def _check_retry(self, old: Ledger, step: Step, job: int) -> None:
        """The first job, which this one does again, has ended and names it; it is no reason to refuse it."""
        first, answer = old.jobs[0], step.answer.answers[0]
        if answer.twin == IDS[0]:
            raise Violation(f"job {job + 1} was taken for a duplicate of job 1, which it is to do again")
        if answer.how is not Accepting.ACCEPTED or not first.status:
            return
        if first.status not in TERMINAL:
            raise Violation(f"job {job + 1} does job 1 again, which has not ended")
        if not step.ledger.jobs[0].retried:
            raise Violation(f"job {job + 1} does job 1 again, and job 1 does not say so")

    def _check_standing(self, old: Ledger, worker: int, held: tuple[int, int], standing: Standing) -> None:
        slim = old.jobs[held[0]]
        live = STATUSES[slim.status] is Status.STARTED and slim.owner == worker and slim.fence == held[1]
        if live != (standing is not Standing.LOST):
            raise Violation(
                f"renew answered {standing.value} to {OWNERS[worker]} for a lease of job {held[0] + 1} that is "
                + ("live" if live else "not its live one")
            )


def _notice(worker: str, text: str) -> tuple[int, int, int, int]:
    kind, id, fence = text.split()
    return OWNERS.index(worker), _NOTICES[kind], IDS.index(id), int(fence)
