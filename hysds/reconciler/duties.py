"""The duties, one round at a time. Each is harmless to repeat, and none depends on another's order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hysds.core.errors import HysdsError, Unreachable
from hysds.core.requests import Moved
from hysds.dispatcher import Dispatcher
from hysds.ports.ledger import Ledger

_AUDIT_ROUNDS = 10
"""The audit looks at one batch of records each so many rounds: it only finds what a bug left behind."""
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    woken: int = 0
    expired: int = 0
    forgotten: int = 0
    mended: tuple[tuple[str, str], ...] = ()
    refused: tuple[HysdsError, ...] = ()
    """Why duties could not be done: a key of a wrong type, say."""


class Reconciler:
    """Puts right, once an interval. `batch` bounds what one step of the ledger changes."""

    def __init__(self, ledger: Ledger, dispatcher: Dispatcher, interval_s: float, batch: int) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._interval_s = interval_s
        self._batch = batch
        self._cursor = ""
        self._rounds = 0

    def run(self, stop: threading.Event) -> None:
        """Rounds until `stop` is set. A ledger that does not answer is asked again in the next round."""
        reachable = True
        while not stop.is_set():
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
            stop.wait(self._interval_s)

    def round(self) -> Round:
        """Every duty once, each until nothing of it is left, and whatever became of the others.

        Raises: Unreachable
        """
        self._rounds += 1
        refused: list[HysdsError] = []
        woken = _tried(lambda: self._exhaust(lambda: self._ledger.wake(self._batch)), 0, refused)
        expired = _tried(lambda: self._exhaust(lambda: self._ledger.expire(self._batch)), 0, refused)
        forgotten = _tried(self._forget, 0, refused)
        mended: tuple[tuple[str, str], ...] = ()
        if self._rounds % _AUDIT_ROUNDS == 1:
            mended = _tried(self._audit, mended, refused)
        return Round(woken, expired, forgotten, mended, tuple(refused))

    def _exhaust(self, step: Callable[[], Moved]) -> int:
        count = 0
        while True:
            moved = step()
            self._dispatcher.ring(moved.ready)
            count += len(moved.answers)
            if not moved.more or not moved.answers:
                return count

    def _forget(self) -> int:
        count = 0
        while True:
            ids = self._ledger.retirable(self._batch)
            gone = self._ledger.forget(ids)
            count += len(gone)
            if len(ids) < self._batch or not gone:
                return count

    def _audit(self) -> tuple[tuple[str, str], ...]:
        self._cursor, mended = self._ledger.audit(self._cursor, self._batch)
        return mended


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
        _log.error("job %s: %s; mended", id_, finding)
    if done.expired:
        _log.info("%d leases or unclaimed jobs ran out", done.expired)
