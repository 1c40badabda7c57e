"""A worker: claims what fits, has it carried out and its end told, for as long as it may.

It knows nothing of Celery: whoever drives it calls `perform` on a thread of its own for each request, and gives it a
way to ask for one (`call`) and to say that the gate may have moved (`changed`).
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hysds.core.errors import HysdsError, Unreachable
from hysds.core.floor_requests import Announcement, Drain
from hysds.leasing import draining
from hysds.leasing.attempt import Attempt, Stop
from hysds.leasing.claims import Claims, Ends, Won
from hysds.leasing.conclusion import Verdict
from hysds.leasing.crew import Crew
from hysds.leasing.draining import Drained, Draining, DrainTerms, Effects
from hysds.leasing.failures import Failures
from hysds.leasing.foothold import Foothold
from hysds.leasing.hand import Hand
from hysds.leasing.holdings import Holdings
from hysds.leasing.host import Host
from hysds.leasing.leases import Calls, LeaseKeeper, Terms
from hysds.leasing.orphans import Orphans
from hysds.leasing.presence import Identity, Presence
from hysds.leasing.sweeping import Sweeper
from hysds.leasing.telling import Onward, Telling
from hysds.lib import structured_log
from hysds.ports.engines import Engine
from hysds.ports.ledger import Ledger

_ORPHANS_RENEWALS = 10
"""What dead workers of this host left, and purged jobs, is looked after each so many renewals."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker is made of."""

    ledger: Ledger
    engine: Engine
    host: Host
    claims: Claims
    holdings: Holdings
    keeper: LeaseKeeper
    ends: Ends
    foothold: Foothold
    orphans: Orphans
    sweeper: Sweeper | None
    carry_out: Callable[[Attempt], Verdict]
    """Does the work of a claimed job, and answers how to end its lease; raises nothing."""
    goes_on: bool
    """Whether the thread that ended a job carries out the next one itself: for work that is lighter than a request."""
    root: Path | None
    """Of all work directories; None: attempts have none."""
    terms: Terms
    drain_terms: DrainTerms


class LeaseWorker:
    """One worker process. Any thread may call any method."""

    def __init__(self, identity: Identity, parts: Parts) -> None:
        self._identity = identity
        self._parts = parts
        self._hand = Hand(parts.terms.renew_interval_s)
        self._crew = Crew()
        self._failures = Failures()
        self._is_ordered = False
        self._telling = Telling(
            parts.ledger,
            parts.claims,
            parts.foothold,
            parts.root,
            Onward(self._wants_more, self._hand_on),
        )
        self._draining = Draining(
            Drained(parts.ledger, parts.ends, self._crew, self._hand, parts.holdings),
            Effects(self._return, self._moved),
            parts.drain_terms,
        )
        self._presence = Presence(
            identity,
            parts.host,
            lambda: self._draining.reason,
            self._failures.told,
            lease_ms=round(parts.terms.lease_s * 1000),
            announce_ms=round(parts.terms.announce_s * 1000),
        )
        self._lock = threading.Lock()
        self._called_at = -math.inf
        self._call: Callable[[str, int], None] = _nobody
        self._changed: Callable[[], None] = _nothing

    @property
    def queues(self) -> tuple[str, ...]:
        """Where it takes work from."""
        return self._identity.queues

    @property
    def slots(self) -> int:
        """How many jobs of one slot it runs at once."""
        return self._identity.slots

    @property
    def incarnation(self) -> str:
        """Its name in the ledger."""
        return self._identity.incarnation

    @property
    def longest_drain_s(self) -> float:
        """How long after `drain` its process must be gone, whatever hangs."""
        terms = self._parts.drain_terms
        return draining.longest_s(terms.timeout_s, terms.stop_grace_s)

    def prepare(self) -> None:
        """End what dead workers of this host left running, and start what guards the jobs; call it before the process
        has threads.
        """
        self._parts.orphans.end_all()
        self._parts.engine.prepare()

    def start(self, call: Callable[[str, int], None], changed: Callable[[], None]) -> None:
        """Announce the worker and begin to look for work. `call(queue, n)`: please call `perform` n times."""
        self._call, self._changed = call, changed
        calls = Calls(self._look_for_work, self._tick, self._obey)
        self._parts.keeper.start(self._announcement, calls)
        rounds = (self._parts.ends.closing, _ORPHANS_RENEWALS * self._parts.terms.renew_interval_s)
        watches = {"hysds-orphans": self._parts.orphans.watch}
        if self._parts.sweeper is not None:
            watches["hysds-sweeper"] = self._parts.sweeper.watch
        for name, watch in watches.items():
            threading.Thread(target=watch, args=rounds, name=name, daemon=True).start()

    def is_open(self) -> bool:
        """Whether it would take another job now."""
        return self._presence.is_open()

    def is_draining(self) -> bool:
        """Whether it was told to take nothing more."""
        return bool(self._draining.reason)

    def perform(self, queue: str, show: Callable[[str], None]) -> str | None:
        """Run a job, if there is one, and those won with its end where the worker goes on; answers the id of the last.
        `show` is called with the id before each starts.
        """
        self._crew.begin()
        try:
            won, last = self._next(), None
            while won is not None:
                self._see_through(won, show)
                last = won.attempt.id
                won = self._hand.take() if self._parts.goes_on else None
            return last
        finally:
            self._crew.end()
            self._changed()

    def drain(self, done: Callable[[], None]) -> None:
        """Take nothing more. `done` is called once nothing runs: by itself, or stopped after `drain_timeout_s`.

        A ledger that is away then does not hold the worker up for long: what it could not be told, it finds out when
        leases run out.
        """
        self._draining.leave(done)

    def close(self) -> None:
        """End everything at once; whatever still runs is killed, and its leases go back as lost."""
        self._draining.close()
        self._parts.ends.closing.set()
        for attempt in self._parts.holdings.all():
            attempt.stop(Stop.LOST, grace_s=0)
        self._parts.keeper.close()
        self._parts.engine.close()
        try:
            self._parts.ledger.leave(self.incarnation)
        except HysdsError as error:
            _log.warning("the ledger was not told that this worker left: %s", error)
        self._parts.foothold.close()

    def _next(self) -> Won | None:
        with self._lock:
            self._called_at = -math.inf
        won = self._hand.take()
        if won is not None:
            return won
        try:
            won = self._parts.claims.claim() if self.is_open() else None
        except Unreachable as error:
            _log.warning("a bid was given up: %s", error)
        if won is not None and not self._wants_more():
            self._return(won)  # the drain began while the bid was under way
            return None
        return won

    def _see_through(self, won: Won, show: Callable[[str], None]) -> None:
        attempt = won.attempt
        if self._parts.ends.closing.is_set():
            attempt.stop(Stop.LOST, grace_s=0)
        hidden = attempt.spec.env.values()
        with structured_log.bound(hidden, job=attempt.id, fence=attempt.fence, worker=self.incarnation):
            try:
                _log.info(
                    "job %s: claimed with fence %s", attempt.id, attempt.fence, extra={"action": "claim"}
                )
                self._show(show, attempt.id)
                if won.more:
                    self._look_for_work()
                verdict = self._parts.carry_out(attempt)
                self._failures.add(attempt)
                self._telling.tell(attempt, verdict)
            finally:
                self._drop(attempt)

    def _drop(self, attempt: Attempt) -> None:
        self._parts.holdings.let_go(attempt)
        self._parts.host.give_back(attempt.id, attempt.fence)

    def _hand_on(self, won: Won) -> None:
        """To a request of its own; back to the ledger if the worker has begun to drain meanwhile."""
        if not self._hand.put(won):
            self._return(won)
        elif not self._parts.goes_on:
            self._ask(won.attempt.record.queue)

    def _return(self, won: Won) -> None:
        self._telling.give_back(won.attempt)
        self._drop(won.attempt)

    def _wants_more(self) -> bool:
        return not self._parts.ends.draining.is_set()

    def _look_for_work(self) -> None:
        """Ask for one request that bids; each that wins asks for the next, until nothing fits.

        One that was asked for and never came (a connection broke) is asked for again after a renewal's time.
        """
        with self._lock:
            if time.monotonic() < self._called_at + self._parts.terms.renew_interval_s or not self.is_open():
                return
            self._called_at = time.monotonic()
        self._ask(self._identity.queues[0])

    def _tick(self) -> None:
        """Nobody else can run what is in hand; and the worker must always be found to live."""
        self._parts.foothold.mend()
        for queue in self._hand.overdue():
            self._ask(queue)

    def _obey(self, order: Drain | None) -> None:
        self._draining.obey(order)
        if self._is_ordered and order is None:
            self._failures.forget()
        self._is_ordered = order is not None

    def _moved(self) -> None:
        """The gate was shut or opened by a drain: whoever drives this worker, and the ledger, hear of it at once."""
        self._changed()
        self._parts.keeper.hurry()

    def _ask(self, queue: str) -> None:
        try:
            self._call(queue, 1)
        except Exception:  # noqa: BLE001  whoever drives this worker failed; it is asked again after a renewal's time
            _log.exception("no request could be made")

    def _show(self, show: Callable[[str], None], job_id: str) -> None:
        try:
            show(job_id)
        except Exception:  # noqa: BLE001  whoever watches failed, which is no business of the job's
            _log.exception("job %s could not be shown", job_id)

    def _announcement(self) -> Announcement:
        was_open = self.is_open()
        said = self._presence.announcement()
        if self.is_open() != was_open:
            self._changed()  # the host became unfit for jobs, or fit again
        return said


def _nobody(queue: str, times: int) -> None:
    """Before `start` nobody is there to be asked."""


def _nothing() -> None:
    """Before `start` there is no gate."""
