"""One ledger as the search sees it: a few small integers a job, and the real `Book` made from them and read back.

Times, revisions and everything that no rule compares are left out; fences are codes of which only equality counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hysds.core.book import Book, Key, Worker
from hysds.core.floor_requests import Drain
from hysds.core.limit_keys import Limit, written_limits
from hysds.core.record import AFTER, FOREVER, Record
from hysds.core.requests import COMPLETED as COMPLETED_ON
from hysds.core.requests import FINISHED, Acceptance
from hysds.core.shapes import alone
from hysds.core.status import Status
from hysds.core.throttle_values import LIMIT, line_of, waits_in_line

WALL_MS = 1_800_000_000_000
WAKE_MS = WALL_MS + 1_000
TTL_MS = WALL_MS + 5_000
CLOCK_MS = 100_000
LEASE_MS = 30_000
DIGEST = "digest"
SHAPE = "1s"
LARGER = "1s512m"
MEMORY = 1 << 29
QUEUE = "q"
IDS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
OWNERS = ("", "A", "B", "dead")
DEAD = 3
"""Whoever owned a lease when it died; a new worker has its name."""
STATUSES = (None, *Status)
QUEUED, WAITING, STARTED, COMPLETED, FAILED, REVOKED, DEDUPED = range(1, 8)
TERMINAL = frozenset({COMPLETED, FAILED, REVOKED, DEDUPED})


@dataclass(frozen=True)
class Plan:
    """One job of the search. `waits`: it has a `not_before`; `retry`: to where its one failed attempt leads."""

    dedup: bool = False
    forced: bool = False
    """`enable_dedup: false`."""
    ttl: bool = False
    waits: bool = False
    retry: Status | None = None
    grows: bool = False
    """Its second attempt gets more memory."""
    retries: bool = False
    """It was handed in to do the first job again."""
    lost_left: int = 1
    keys: tuple[str, ...] = ()
    """Under which it is limited, in its order."""
    places: int = 1
    """Of each of its keys; all plans of a search say the same."""
    after: str = ""
    """How the first job must end before this one may start: COMPLETED or FINISHED; "": it need not."""


class Slim(NamedTuple):
    """What is left of a record."""

    status: int = 0
    owner: int = 0
    nonce: int = 0
    """Ten times the worker that chose it, plus its number; 0: none."""
    fence: int = 0
    committed: int = 0
    cancel: int = 0
    lost_left: int = 0
    failed: int = 0
    ttl: int = 0
    grown: int = 0
    retried: int = 0
    """Ended, and it names the job that does it again."""
    limited: int = 0
    """Waits at this of its keys, counted from 1; 0: at none."""
    after: int = 0
    """Waits for the first job to end."""


class Ledger(NamedTuple):
    """All jobs, whom the one dedup key names, and who is drained.

    `key` is a place among the jobs plus one, 0 for nobody; `drained` has a bit for each worker.
    """

    jobs: tuple[Slim, ...]
    key: int = 0
    drained: int = 0


def acceptance(plan: Plan, job: int) -> Acceptance:
    """The submission of a job of the search."""
    states = frozenset({Status.QUEUED, Status.WAITING, Status.STARTED, Status.COMPLETED})
    return Acceptance(
        id=IDS[job],
        digest=IDS[job],
        spec="{}",
        queue=QUEUE,
        shape=SHAPE,
        wake_ms=WAKE_MS if plan.waits else 0,
        ttl_for_ms=TTL_MS - WALL_MS if plan.ttl else 0,
        dedup=DIGEST if plan.dedup else "",
        may_repeat=plan.forced,
        twins=states,
        retry_of=IDS[0] if plan.retries else "",
        lost_left=plan.lost_left,
        limits=tuple(Limit(key, plan.places) for key in plan.keys),
        after=(IDS[0],) if plan.after else (),
        after_on=plan.after or COMPLETED_ON,
    )


def book_of(ledger: Ledger, plans: tuple[Plan, ...], make: Callable[[], Book]) -> Book:
    """The real book in this state; both workers are known to it, as after a renewal."""
    book = make()
    book.clock.ms, book.clock.wall_ms = CLOCK_MS, WALL_MS
    for job, slim in enumerate(ledger.jobs):
        if slim.status:
            record = _record(slim, job, plans[job])
            book.records[record.id], book.specs[record.id] = record, "{}"
            book.places.enter(record)
            book.throttles.move(None, record)
            if slim.after:
                book.kin.dependents.setdefault(IDS[0], set()).add(record.id)
            if record.confirmed:
                book.retire[record.id] = WALL_MS
    book.throttles.expected = dict.fromkeys(book.throttles.expected, CLOCK_MS)  # for long enough
    book.throttles.touched.clear()
    book.throttles.stirred.clear()
    if ledger.key:
        owner = ledger.jobs[ledger.key - 1]
        until_ms = FOREVER if owner.status == COMPLETED else 0
        book.keys.by_digest[DIGEST] = Key(IDS[ledger.key - 1], until_ms)
    for name in OWNERS[1:]:
        book.floor.workers[name] = Worker(CLOCK_MS + 10 * LEASE_MS)
    for number in (1, 2):
        if is_drained(ledger, number):
            book.floor.drains[OWNERS[number]] = Drain(OWNERS[number])
    return book


def is_drained(ledger: Ledger, worker: int) -> bool:
    """Whether an order stands for a worker (1 or 2)."""
    return bool(ledger.drained & worker)


def ledger_of(book: Book, plans: tuple[Plan, ...]) -> Ledger:
    """What the book holds, made small again."""
    key = book.keys.by_digest.get(DIGEST)
    jobs = tuple(_slim(book, book.records.get(IDS[job]), plan) for job, plan in enumerate(plans))
    drained = sum(number for number in (1, 2) if OWNERS[number] in book.floor.drains)
    return Ledger(jobs, IDS.index(key.owner) + 1 if key is not None else 0, drained)


def nonce_text(code: int) -> str:
    return f"{OWNERS[code // 10]}{code % 10}" if code else ""


def _record(slim: Slim, job: int, plan: Plan) -> Record:
    status = STATUSES[slim.status]
    assert status is not None
    shape = LARGER if slim.grown else SHAPE
    is_last = slim.lost_left == 0 < plan.lost_left
    return Record(
        id=IDS[job],
        status=status,
        revision=1,
        digest=IDS[job],
        queue=QUEUE,
        shape=alone(shape) if is_last else shape,
        memory_bytes=MEMORY if slim.grown else 0,
        priority=5,
        lost_left=slim.lost_left,
        fence=slim.fence,
        committed=slim.committed,
        owner=OWNERS[slim.owner],
        nonce=nonce_text(slim.nonce),
        fails="user:1" if slim.failed else "",
        cancel=bool(slim.cancel),
        reason=_reason(slim, plan),
        limits=written_limits([Limit(key, plan.places) for key in plan.keys]),
        ready_ms=0 if slim.status == WAITING and not slim.limited else WALL_MS - 100 + job,
        wake_ms=_wake_ms(slim, plan),
        after_left=slim.after,
        after_finished=plan.after == FINISHED,
        ttl_ms=TTL_MS if slim.ttl else 0,
        lease_ms=CLOCK_MS + LEASE_MS if slim.status == STARTED else 0,
        dedup=DIGEST if plan.dedup else "",
        window_ms=FOREVER,
        retried_by=IDS[1] if slim.retried else "",
        confirmed=status.is_terminal,
    )


def _wake_ms(slim: Slim, plan: Plan) -> int:
    if slim.status != WAITING or slim.limited:
        return 0
    return WAKE_MS if plan.waits or not slim.after else 0


def _reason(slim: Slim, plan: Plan) -> str:
    if slim.status != WAITING:
        return ""
    if slim.after:
        return AFTER
    return LIMIT + plan.keys[slim.limited - 1] if slim.limited else "time"


def _slim(book: Book, record: Record | None, plan: Plan) -> Slim:
    if record is None:
        return Slim()
    if record.status.is_terminal:
        retried = int(bool(record.retried_by))
        return Slim(STATUSES.index(record.status), committed=record.committed, retried=retried)
    return Slim(
        status=STATUSES.index(record.status),
        owner=OWNERS.index(record.owner),
        nonce=10 * OWNERS.index(record.nonce[0]) + int(record.nonce[1]) if record.nonce else 0,
        fence=record.fence,
        committed=record.committed,
        cancel=int(record.cancel),
        lost_left=record.lost_left,
        failed=int(bool(record.fails)),
        ttl=int(record.ttl_ms > 0),
        grown=int(record.memory_bytes > 0),
        limited=_limited(book, record, plan),
        after=int(record.after_left > 0),
    )


def _limited(book: Book, record: Record, plan: Plan) -> int:
    """Where its line waits now: that, not the record, says it."""
    if not waits_in_line(record):
        return 0
    return plan.keys.index(book.throttles.at[line_of(record)].removeprefix(LIMIT)) + 1
