"""Waits for the ends of many jobs by the event stream: no document is read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from hysds.bootstrap import System
from hysds.core.ids import JobId
from hysds.core.requests import MAX_BATCH
from hysds.core.status import ENDED

_WATCH_S = 5.0
"""After so long without an event the records are read again: a position may be lost in a failover."""


class Endings:
    """Jobs whose end is waited for. Made before whatever ends them is asked for, it misses none."""

    def __init__(self, system: System, job_ids: Iterable[JobId]) -> None:
        self._system = system
        self._left = list(dict.fromkeys(job_ids))
        self._position = system.events.end()

    def wait(self, timeout_s: float | None = None) -> None:
        """Until all have ended; one that nobody knows counts as ended.

        Raises: TimeoutError when they have not within the timeout (None: wait for ever).
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        self._left = self._live(self._left)
        while self._left:
            left_s = _WATCH_S if until is None else min(_WATCH_S, until - time.monotonic())
            if left_s <= 0:
                raise TimeoutError(f"{len(self._left)} jobs have not ended yet, the first is {self._left[0]}")
            self._follow(left_s)

    def _follow(self, timeout_s: float) -> None:
        entries = self._system.events.follow(self._position, MAX_BATCH, timeout_s)
        if not entries:
            self._left = self._live(self._left)
            return
        self._position = entries[-1].position
        ended = {entry.event.id for entry in entries if entry.event.status in ENDED}
        self._left = [id_ for id_ in self._left if id_ not in ended]

    def _live(self, job_ids: Sequence[JobId]) -> list[JobId]:
        """Those that the ledger knows to be live."""
        live: list[JobId] = []
        for start in range(0, len(job_ids), MAX_BATCH):
            part = job_ids[start : start + MAX_BATCH]
            kept = zip(part, self._system.ledger.kept(part), strict=True)
            live += [id_ for id_, one in kept if one is not None and not one.record.status.is_terminal]
        return live
