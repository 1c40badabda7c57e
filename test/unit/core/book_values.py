"""Values that the tests of the book share: submissions, bids and renewals, whole but for what a test says."""

from __future__ import annotations

from typing import Any

from hysds.core.book import Book
from hysds.core.floor_requests import Announcement, Fit
from hysds.core.record import Record
from hysds.core.requests import Acceptance, Accepting, Bid, Commit, Held, Renewal
from hysds.core.status import Status

NOW_US = 1_800_000_000_000_000
NOW_MS = NOW_US // 1000
DAY_MS = 86_400_000
LEASE_MS = 30_000
ONE = "00000000-0000-4000-8000-000000000001"
TWO = "00000000-0000-4000-8000-000000000002"
THREE = "00000000-0000-4000-8000-000000000003"


def item(id: str = ONE, **changes: Any) -> Acceptance:
    """A plain submission to queue `q`, of shape `1s`."""
    return Acceptance(**{"id": id, "digest": "d" + id, "spec": "{}", "queue": "q", "shape": "1s", **changes})


def keyed(id: str, **changes: Any) -> Acceptance:
    """A submission with the dedup key `k` and the default states in which a twin counts."""
    twins = frozenset({Status.QUEUED, Status.WAITING, Status.STARTED, Status.COMPLETED})
    return item(id, **{"dedup": "k", "twins": twins, **changes})


def bid(worker: str = "A", nonce: str = "n1", fit: Fit | None = None, reserve_after_ms: int = DAY_MS) -> Bid:
    return Bid(worker, ("q", "r"), fit or Fit(now=("1s", "1s!")), nonce, LEASE_MS, reserve_after_ms)


def renewal(
    worker: str = "A", *held: Held, given_up: tuple[str, ...] = (), fit: Fit | None = None, slots: int = 1
) -> Renewal:
    announcement = Announcement("host", worker, ("q",), slots, fit or Fit(now=("1s", "1s!")))
    return Renewal(worker, announcement, held, given_up, LEASE_MS, 3 * LEASE_MS)


def accept(book: Book, *items: Acceptance, now_us: int = NOW_US) -> None:
    """Accept them all, or fail."""
    answers = book.accept(items, DAY_MS, now_us).answers
    assert [answer.how for answer in answers] == [Accepting.ACCEPTED] * len(items)


def claim(book: Book, worker: str = "A", nonce: str = "n1", now_us: int = NOW_US) -> Record:
    """The record of the lease that a claim won."""
    lease = book.claim(bid(worker, nonce), now_us).lease
    assert lease is not None
    return lease.record


def end(record: Record, status: Status = Status.COMPLETED, **changes: Any) -> Commit:
    return Commit(record.id, record.fence, status, **changes)


def started(book: Book | None = None, **changes: Any) -> tuple[Book, Record]:
    """A book with one job under a lease of worker A."""
    book = book or Book()
    accept(book, item(**changes))
    return book, claim(book)


def pass_ms(book: Book, ms: int, now_us: int = NOW_US) -> int:
    """Let so much time pass, second by second, as `wake` does; answers the time then."""
    for _ in range(-(-ms // 1000)):
        now_us += 1_000_000
        book.tick(now_us)
    return now_us
