"""Bids for jobs: one at a time, each under a nonce that is repeated until it is answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from hysds.core import ledger_clock
from hysds.core.errors import HysdsError, Unreachable
from hysds.core.requests import Bid, Claimed, Commit, Committed
from hysds.leasing.attempt import Attempt
from hysds.leasing.holdings import Holdings
from hysds.leasing.host import Host
from hysds.lib.process.ending import boot_s
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.ledger import Ledger

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bidding:
    """Who bids, for what, on which terms."""

    worker: str
    queues: tuple[str, ...]
    lease_ms: int
    reserve_after_ms: int

    @property
    def sure_s(self) -> float:
        """For how long after the sending of a bid a lease that it wins can be nobody else's."""
        return ledger_clock.sure_s(self.lease_ms / 1000)


@dataclass(frozen=True, slots=True)
class Ends:
    """When unanswered calls are given up: bids when the worker drains, all others when it closes."""

    draining: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Won:
    """A lease won. `more`: ready work that may fit is left, so another bid is worth its trip."""

    attempt: Attempt
    more: bool


class Claims:
    """Wins leases. Any thread may call any method; bids take turns, so that no two count on the same free slot."""

    def __init__(self, ledger: Ledger, host: Host, holdings: Holdings, bidding: Bidding, ends: Ends) -> None:
        self._ledger = ledger
        self._host = host
        self._holdings = holdings
        self._bidding = bidding
        self._ends = ends
        self._turn = threading.Lock()
        self._nonce = Uuid7Source()
        self._given_up: set[str] = set()
        self._noting = threading.Lock()
        self._rounds = 0

    def claim(self) -> Won | None:
        """The best ready job that fits.

        Asks again where the ledger taught a shape that turned out to fit, or has come across jobs over a limit only.

        Raises: Unreachable when the worker drained before an answer came.
        """
        with self._turn:
            return self._claim()

    def _claim(self) -> Won | None:
        while True:
            with self._bid() as bid:
                sent_s = boot_s()
                claimed = self._answered(partial(self._ledger.claim, bid), self._ends.draining)
                won = self._take(claimed, sent_s)
            if won is not None or not (claimed.more or self._learned(claimed)):
                return won

    def commit(self, commit: Commit, wants_more: Callable[[], bool]) -> tuple[Committed, Won | None]:
        """End an attempt and, if there is room, claim the next job in the same step.

        Raises: Unreachable when the worker closed before an answer came.
        """
        with self._turn:
            self._host.give_back(commit.id, commit.fence)
            if wants_more():
                try:
                    committed, won = self._commit_and_bid(commit)
                    return committed, won or self._looked_on(committed)
                except Unreachable:
                    raise
                except HysdsError as error:
                    # The step was refused whole, for something that the bid came across in a queue: no fault of the
                    # attempt, whose end must not get lost over it.
                    _log.error("job %s: its end is committed without a bid: %s", commit.id, error)
            return self._answered(partial(self._ledger.commit, commit), self._ends.closing), None

    def _commit_and_bid(self, commit: Commit) -> tuple[Committed, Won | None]:
        with self._bid() as bid:
            sent_s = boot_s()
            committed = self._answered(partial(self._ledger.commit, commit, bid), self._ends.closing)
            return committed, self._take(committed.claimed, sent_s) if committed.claimed is not None else None

    def _looked_on(self, committed: Committed) -> Won | None:
        """What further bids win, where the one in a commit came across nothing but jobs that are over a limit."""
        if committed.claimed is None or not committed.claimed.more:
            return None
        try:
            return self._claim()
        except Unreachable:
            return None  # the end is told; a bid follows with the next renewal

    def persist(self, call: Callable[[], _T]) -> _T:
        """Repeat a harmless call until it is answered.

        Raises: Unreachable when the worker closed before an answer came.
        """
        return self._answered(call, self._ends.closing)

    def given_up(self) -> tuple[str, ...]:
        """Nonces that nobody asks for any more, whose leases should go back."""
        with self._noting:
            return tuple(sorted(self._given_up))

    def give_up(self, nonce: str) -> None:
        """Nobody asks for this one any more."""
        with self._noting:
            self._given_up.add(nonce)

    def forget(self, nonces: tuple[str, ...]) -> None:
        """The ledger knows of these."""
        with self._noting:
            self._given_up.difference_update(nonces)

    def rounds(self) -> int:
        """Grows by one at the start and at the end of each bid: odd while one is under way."""
        return self._rounds

    @contextmanager
    def _bid(self) -> Iterator[Bid]:
        """A bid under a new nonce; unanswered, the nonce is given up, and the next renewal says so."""
        terms = self._bidding
        nonce = self._nonce()
        self._rounds += 1
        try:
            yield Bid(
                terms.worker, terms.queues, self._host.fit(), nonce, terms.lease_ms, terms.reserve_after_ms
            )
        except Unreachable:
            self.give_up(nonce)
            raise
        finally:
            self._rounds += 1

    def _take(self, claimed: Claimed, sent_s: float) -> Won | None:
        """A lease won is held before the bid counts as over, or a renewal would take it for nobody's. It counts from
        the first sending of its bid: the answer may have come late, or to a worker that stood still meanwhile.
        """
        lease = claimed.lease
        if lease is None:
            return None
        attempt = Attempt(lease, sent_s + self._bidding.sure_s, sent_s)
        self._host.take(attempt.id, attempt.fence, lease.record.shape)
        self._holdings.hold(attempt)
        return Won(attempt, claimed.more or self._learned(claimed))

    def _learned(self, claimed: Claimed) -> bool:
        """Whether a shape new to this host fits it, so that another bid may win."""
        if not claimed.unknown:
            return False
        self._host.learn(claimed.unknown)
        return bool(set(claimed.unknown) & set(self._host.fit().now))

    def _answered(self, call: Callable[[], _T], ending: threading.Event) -> _T:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return call()
            except Unreachable:
                if ending.wait(pause_s):
                    raise
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
