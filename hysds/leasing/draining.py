"""The drain: a worker takes no more jobs, lets those that run go on for a while, and gives back what is left.

There is one way for both who may ask for it. An operator's order stands in the ledger under the worker's name, and
each renewal repeats it: the worker stays, announced without a slot, and works again once the order is taken back.
SIGTERM makes it leave. Either way the gate shuts at once, and at the deadline what still runs is stopped and released,
which burns none of a job's attempts. Where both ask, the earlier deadline holds.

A worker that was told to leave is gone after `longest_s` at the latest, whatever hangs, so that nobody need kill it:
systemd's TimeoutStopSec and Kubernetes' terminationGracePeriodSeconds must be longer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hysds.core.errors import HysdsError
from hysds.core.floor_requests import Drain
from hysds.core.record import FOREVER
from hysds.leasing.attempt import Stop
from hysds.leasing.claims import Ends, Won
from hysds.leasing.crew import Crew
from hysds.leasing.hand import Hand
from hysds.leasing.holdings import Holdings
from hysds.ports.ledger import Ledger

LAST_WORD_S = 8.0
"""The most that a ledger which does not answer is waited for, beyond the time that the jobs have to end."""
LEAVING_S = 10.0
"""The most that the process may take to end once the drain is done."""
_log = logging.getLogger(__name__)


def longest_s(drain_timeout_s: float, stop_grace_s: float) -> float:
    """How long after SIGTERM the last worker process is gone: 88 s at the default settings."""
    return drain_timeout_s + stop_grace_s + LAST_WORD_S + LEAVING_S


@dataclass(frozen=True, slots=True)
class DrainTerms:
    """Times of a drain, in seconds. `last_word_s` is at most LAST_WORD_S."""

    timeout_s: float
    """How long jobs may run on after SIGTERM."""
    stop_grace_s: float
    last_word_s: float


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain touches."""

    ledger: Ledger
    ends: Ends
    crew: Crew
    hand: Hand
    holdings: Holdings


@dataclass(frozen=True, slots=True)
class Effects:
    """What a drain calls."""

    give_back: Callable[[Won], None]
    """A lease that nobody has begun goes back."""
    moved: Callable[[], None]
    """The gate was shut or opened."""


class Draining:
    """Whether this worker drains, why, and until when. Any thread may call any method but `obey`, which one calls."""

    def __init__(self, drained: Drained, effects: Effects, terms: DrainTerms) -> None:
        self._drained = drained
        self._effects = effects
        self._terms = terms
        self._lock = threading.Lock()
        self._is_leaving = False
        self._order: Drain | None = None
        self._timer: threading.Timer | None = None

    @property
    def reason(self) -> str:
        """Why nothing is taken; "" while the worker works."""
        order = self._order
        if self._is_leaving:
            return "the worker is leaving"
        return "" if order is None else order.reason or "ordered"

    def obey(self, order: Drain | None) -> None:
        """What a renewal says of this worker's name: an order, or that there is none."""
        if order is None:
            if self._order is not None:
                self._resume()
            return
        if order != self._order:
            _log.warning("drained: %s", order.reason or "no reason was given")
            self._forget_deadline()
            with self._lock:
                self._order = order
            self._shut()
        if self._timer is None and order.within_ms != FOREVER:
            self._set_deadline(order)

    def leave(self, done: Callable[[], None]) -> None:
        """SIGTERM: drain for good. `done` is called when nothing runs any more, or nothing can be done about it."""
        with self._lock:
            self._is_leaving = True
        self._shut()
        threading.Thread(target=self._leave, args=(done,), name="hysds-drain", daemon=True).start()

    def close(self) -> None:
        """The worker ends now."""
        with self._lock:
            self._is_leaving = True
        self._drained.ends.draining.set()
        self._forget_deadline()

    def _shut(self) -> None:
        """Take nothing more; what nobody has begun goes back at once, beside whatever hangs."""
        self._drained.ends.draining.set()
        self._drained.crew.begin()
        left = self._drained.hand.shut()
        threading.Thread(target=self._return_all, args=(left,), name="hysds-hand", daemon=True).start()
        self._effects.moved()

    def _return_all(self, left: tuple[Won, ...]) -> None:
        try:
            for won in left:
                self._effects.give_back(won)
        finally:
            self._drained.crew.end()

    def _resume(self) -> None:
        _log.warning("drained no more")
        self._forget_deadline()
        with self._lock:
            self._order = None
            if self._is_leaving:
                return
            self._drained.hand.open()
            self._drained.ends.draining.clear()
        self._effects.moved()

    def _set_deadline(self, order: Drain) -> None:
        """By the ledger's time; while it does not answer, the next renewal tries again."""
        try:
            left_ms = order.since_ms + order.within_ms - self._drained.ledger.now_ms()
        except HysdsError as error:
            _log.warning("until when jobs may run on is not known yet: %s", error)
            return
        self._timer = threading.Timer(max(left_ms, 0) / 1000, self._end_jobs, args=(order,))
        self._timer.daemon = True
        self._timer.start()

    def _forget_deadline(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _end_jobs(self, order: Drain) -> None:
        """The order's deadline; not where it was taken back or replaced in this very moment."""
        if order == self._order:
            self._stop_all()

    def _stop_all(self) -> None:
        for attempt in self._drained.holdings.all():
            attempt.stop(Stop.DRAIN, self._terms.stop_grace_s)

    def _leave(self, done: Callable[[], None]) -> None:
        terms, crew = self._terms, self._drained.crew
        try:
            if crew.is_idle_within(terms.timeout_s):
                return
            self._stop_all()
            if not crew.is_idle_within(terms.stop_grace_s + terms.last_word_s):
                _log.error("the worker leaves without having told the ledger of all its jobs")
        finally:
            self._drained.ends.closing.set()
            done()
