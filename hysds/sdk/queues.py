"""The queues of a system, for people: what stands in them, how fast it moves, who hears them, pauses."""

from __future__ import annotations

from dataclasses import dataclass

from hysds.bootstrap import System
from hysds.core import queue_names
from hysds.core.errors import InvalidSpec, Refused
from hysds.core.queue_tallies import Pause

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue at one moment. Rates are jobs a minute, over the last five minutes and this one."""

    name: str
    ready: int
    oldest_s: float | None
    """How long the one of them that has been ready longest has been so; None: there is none."""
    running: int
    waiting: tuple[tuple[str, int], ...]
    """(for what, how many)"""
    in_per_min: float
    out_per_min: float
    workers: tuple[str, ...]
    """Names of announced workers that take jobs and hear it."""
    pause: Pause | None = None


class Queues:
    """The part of `Client` that knows queues."""

    _system: System

    def queues(self) -> tuple[QueueView, ...]:
        """All queues in use or heard by a worker, and those that were in use within the last ten minutes, by name."""
        ledger = self._system.ledger
        tallies, now_ms = {one.queue: one for one in ledger.tallies()}, ledger.now_ms()
        hearers: dict[str, set[str]] = {}
        for worker in ledger.workers():
            for queue in worker.queues:
                takes = worker.left_ms > 0 and worker.slots > 0 and worker.drain is None
                hearers.setdefault(queue, set()).update([worker.name] if takes else [])
        views = []
        for name in sorted({*tallies, *hearers}):
            one, names = tallies.get(name), tuple(sorted(hearers.get(name, ())))
            if one is None:
                views.append(QueueView(name, 0, None, 0, (), 0.0, 0.0, names))
                continue
            oldest_s = max(now_ms - one.oldest_ms, 0) / 1000 if one.ready else None
            rates = one.came.per_minute(now_ms), one.went.per_minute(now_ms)
            views.append(
                QueueView(name, one.ready, oldest_s, one.running, one.waiting, *rates, names, one.pause)
            )
        return tuple(views)

    def pause_queue(self, name: str, reason: str = "") -> None:
        """Let nothing of a queue start until `resume_queue`: jobs still enter it, running ones go on.

        Raises: InvalidSpec for what can't name a queue, Refused for a reason that is no line of 200 characters.
        """
        _check(name)
        if len(reason) > _LONGEST_REASON or not reason.isprintable():
            raise Refused(f"a reason is a line of at most {_LONGEST_REASON} characters")
        self._system.ledger.pause(name, reason)

    def resume_queue(self, name: str) -> bool:
        """Let jobs of a queue start again; False where it was not paused.

        Raises: InvalidSpec for what can't name a queue.
        """
        _check(name)
        is_paused = any(one.queue == name and one.pause for one in self._system.ledger.tallies())
        self._system.dispatcher.ring(self._system.ledger.resume(name).ready)
        return is_paused


def _check(name: str) -> None:
    complaints = tuple(queue_names.check(name, "queue"))
    if complaints:
        raise InvalidSpec(complaints)
