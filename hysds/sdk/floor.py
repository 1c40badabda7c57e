"""The workers of a system, for people: who they are, and orders to take no more jobs."""

from __future__ import annotations

import difflib
import time
from collections.abc import Collection

from hysds.bootstrap import System
from hysds.core.errors import NotFound, Refused
from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.record import FOREVER
from hysds.core.requests import MAX_BATCH

_WATCH_S = 1.0
_SHOWN = 20
_LONGEST_REASON = 200


class Floor:
    """What `Client` answers about workers."""

    def __init__(self, system: System) -> None:
        self._system = system

    def workers(self) -> tuple[WorkerState, ...]:
        """All that announced themselves and are not forgotten, by incarnation; silent ones too."""
        return self._system.ledger.workers()

    def drains(self) -> tuple[Drain, ...]:
        """The orders that stand, by name."""
        return self._system.ledger.drains()

    def drain(self, name: str, reason: str | None = None, within_s: float | None = None) -> Drain:
        """Order it; see `Client.drain`."""
        if reason is not None and (len(reason) > _LONGEST_REASON or not reason.isprintable()):
            raise Refused(f"a reason is a line of at most {_LONGEST_REASON} characters")
        within_ms = FOREVER if within_s is None else round(within_s * 1000)
        full = named(name, self._names())
        standing = self._order(full)
        if reason is None:
            reason = standing.reason if standing is not None else ""
        order = Drain(full, reason, within_ms=within_ms)
        self._system.ledger.drain(order)
        return self._order(full) or order

    def resume(self, name: str) -> tuple[str, bool]:
        """Take the order back; see `Client.resume`."""
        full = named(name, self._names())
        return full, self._system.ledger.undrain(full)

    def await_idle(self, name: str, timeout_s: float | None = None) -> None:
        """Until nothing runs under any incarnation of the name; see `Client.await_idle`."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        full = named(name, self._names())
        position = self._system.events.end()
        while any(worker.held for worker in self.workers() if worker.name == full):
            left_s = _WATCH_S if until is None else min(_WATCH_S, until - time.monotonic())
            if left_s <= 0:
                raise TimeoutError(f"jobs still run on {full}")
            entries = self._system.events.follow(position, MAX_BATCH, left_s)
            position = entries[-1].position if entries else position

    def _order(self, full: str) -> Drain | None:
        return next((order for order in self.drains() if order.name == full), None)

    def _names(self) -> set[str]:
        return {worker.name for worker in self.workers()} | {order.name for order in self.drains()}


def named(asked: str, known: Collection[str]) -> str:
    """The whole name of a worker that people call `w1` or `celery@w1`.

    Raises: NotFound with the names that there are, Refused for one that several begin or end with.
    """
    if asked in known:
        return asked
    found = sorted(name for name in known if asked in name.split("@"))
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(f"worker {asked}: there are several, name one in full: {_listed(found)}")
    near = difflib.get_close_matches(
        asked, sorted({part for name in known for part in (name, *name.split("@"))}), n=1
    )
    hint = f"did you mean {near[0]}? " if near else ""
    raise NotFound(
        f"no worker is called {asked}; {hint}{f'there are {_listed(sorted(known))}' if known else 'there is none'}"
    )


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
