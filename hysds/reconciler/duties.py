"""The duties, one round at a time. Each is harmless to repeat, and none depends on another's order.

Any number of reconcilers do them side by side: each step of the ledger happens once, whoever asks for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hysds.core.errors import HysdsError, Unreachable
from hysds.core.requests import DAMAGED, Moved
from hysds.dispatcher import Dispatcher
from hysds.ports.ledger import Ledger
from hysds.reconciler.unheard import Unheard
from hysds.reconciler.watch import Watch

_AUDIT_ROUNDS = 10
"""The audit looks at one batch of records each so many rounds: it only finds what a bug left behind."""
_TOLD = {
    "wake": "its time has come",
    "expire": "its time or its lease ran out",
    "suspect": "its worker is silent",
}
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a reconciler goes about its duties."""

    interval_s: float = 1.0
    """Between two rounds."""
    batch: int = 500
    """The most jobs that one step of the ledger changes; a round goes on while there are more."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    woken: int = 0
    suspected: int = 0
    expired: int = 0
    settled: int = 0
    """Members that entered or were cancelled, dependents freed, groups told of: what steps had left in pieces."""
    forgotten: int = 0
    fired: int = 0
    """Ticks of schedules that became jobs."""
    rung: tuple[str, ...] = ()
    """Queues with work and no worker whose bell was rung again."""
    mended: tuple[tuple[str, str], ...] = ()
    refused: tuple[HysdsError, ...] = ()
    """Why duties could not be done: a key of a wrong type, say."""


class Reconciler:
    """Puts right, once an interval."""

    def __init__(
        self,
        ledger: Ledger,
        dispatcher: Dispatcher,
        pace: Pace,
        unheard: Unheard,
        watch: Watch,
        fire_due: Callable[[], int],
    ) -> None:
        """`fire_due` submits the jobs of schedules whose time has come, and answers how many."""
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._pace = pace
        self._unheard = unheard
        self._watch = watch
        self._fire_due = fire_due
        self._more: list[Callable[[], int]] = []
        self._cursor = ""
        self._rounds = 0

    def also(self, duty: Callable[[], int]) -> None:
        """Do this too, last in each round; it answers how much it changed. To be said before the first round."""
        self._more.append(duty)

    def run(self, stop: threading.Event, measure: Callable[[Round, float], None] | None = None) -> None:
        """Rounds until `stop` is set. A ledger that does not answer is asked again in the next round.

        `measure` is told of each round and how many seconds it took; None: nobody asks.
        """
        reachable = True
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                done = self.round()
            except Unreachable as error:
                if reachable:
                    _log.warning("nothing is put right: %s", error)
                reachable = False
            else:
                if not reachable:
                    _log.warning("the ledger answers again: duties go on")
                reachable = True
                _tell(done)
                if measure is not None:
                    measure(done, time.monotonic() - began_s)
            stop.wait(self._pace.interval_s)
        self._watch.leave()

    def round(self) -> Round:
        """Every duty once, each until nothing of it is left, and whatever became of the others.

        Raises: Unreachable
        """
        self._rounds += 1
        refused: list[HysdsError] = []
        batch = self._pace.batch
        woken = _tried(lambda: self._exhaust("wake", lambda: self._ledger.wake(batch)), 0, refused)
        expired = _tried(lambda: self._exhaust("expire", lambda: self._ledger.expire(batch)), 0, refused)
        # After `expire`: what has just run out was never shown as offline, after a pause of all reconcilers say.
        suspected = _tried(lambda: self._exhaust("suspect", lambda: self._ledger.suspect(batch)), 0, refused)
        fired = _tried(self._fire_due, 0, refused)
        settled = _tried(self._settle, 0, refused)
        forgotten = _tried(self._forget, 0, refused)
        rung: tuple[str, ...] = ()
        mended: tuple[tuple[str, str], ...] = ()
        if self._rounds % _AUDIT_ROUNDS == 1:
            mended = _tried(self._audit, mended, refused)
            rung = _tried(self._ring_again, rung, refused)
            _tried(self._watch.look_around, None, refused)
        _tried(self._watch.sign, None, refused)
        for duty in self._more:
            _tried(duty, 0, refused)
        return Round(woken, suspected, expired, settled, forgotten, fired, rung, mended, tuple(refused))

    def _exhaust(self, action: str, step: Callable[[], Moved]) -> int:
        count = 0
        while True:
            moved = step()
            self._dispatcher.ring(moved.ready)
            for id_, status in moved.answers:
                extra = {"action": action, "job": id_, "status": status}
                if status == DAMAGED:
                    _log.error("job %s: its record is unreadable: set aside", id_, extra=extra)
                else:
                    _log.info("job %s: %s, %s", id_, _TOLD[action], status, extra=extra)
            count += len(moved.answers)
            if not moved.more or not moved.answers:
                return count

    def _settle(self) -> int:
        count = 0
        while True:
            moved = self._ledger.settle(self._pace.batch)
            self._dispatcher.ring(moved.ready)
            for id_, status in moved.answers:
                _log.debug("job %s: settled, %s", id_, status, extra={"action": "settle", "job": id_})
            count += len(moved.answers)
            if not moved.more or not moved.answers:
                return count

    def _forget(self) -> int:
        count = 0
        while True:
            ids = self._ledger.retirable(self._pace.batch)
            gone = self._ledger.forget(ids)
            count += len(gone)
            if len(ids) < self._pace.batch or not gone:
                return count

    def _audit(self) -> tuple[tuple[str, str], ...]:
        self._cursor, mended = self._ledger.audit(self._cursor, self._pace.batch)
        return mended

    def _ring_again(self) -> tuple[str, ...]:
        workers = self._ledger.workers()
        heard = {queue for one in workers if one.left_ms > 0 and one.slots > 0 for queue in one.queues}
        due = self._unheard.due(self._ledger.queues(), heard)
        return tuple(queue for queue in due if self._dispatcher.ring_again(queue))


def _tried(duty: Callable[[], _T], otherwise: _T, refused: list[HysdsError]) -> _T:
    """What a duty did. One that the ledger refuses must not keep all others from being done, round after round."""
    try:
        return duty()
    except Unreachable:
        raise
    except HysdsError as error:
        refused.append(error)
        return otherwise


def _tell(done: Round) -> None:
    for error in done.refused:
        _log.error("a duty could not be done: %s", error)
    for id_, finding in done.mended:
        done_too = "" if "set aside" in finding else "; mended"
        _log.error("job %s: %s%s", id_, finding, done_too, extra={"action": "mended", "job": id_})
    for queue in done.rung:
        _log.info("queue %s has work and no worker: rung again", queue, extra={"queue": queue})
