"""A job worker: claims what fits, runs it, commits it, for as long as it may.

It knows nothing of Celery: whoever drives it calls `perform` on a thread of its own for each request, and gives it a
way to ask for one (`call`) and to say that the gate may have moved (`changed`).
"""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial

from hysds.core.errors import HysdsError, Unreachable
from hysds.core.requests import Announcement, Commit, Committing
from hysds.core.status import Status
from hysds.job_worker import run
from hysds.job_worker.attempt import Attempt, Stop
from hysds.job_worker.claims import Claims, Ends, Won
from hysds.job_worker.hand import Hand
from hysds.job_worker.holdings import Holdings
from hysds.job_worker.host import Host
from hysds.job_worker.leases import Calls, LeaseKeeper, Terms
from hysds.ports.engines import Engine
from hysds.ports.ledger import Ledger

_LAST_WORD_RENEWALS = 5
"""How long a worker that drains waits, beyond the time that its jobs have to end, for a ledger that does not answer."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a worker is. `incarnation` is new with each start: no lease passes from a dead worker to its successor."""

    incarnation: str
    name: str
    host: str
    queues: tuple[str, ...]
    slots: int
    facts: str
    """A JSON object: what the worker says of itself for as long as it lives."""


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
    tools: run.Tools
    terms: Terms
    drain_timeout_s: float


class JobWorker:
    """One worker process. Any thread may call any method."""

    def __init__(self, identity: Identity, parts: Parts) -> None:
        self._identity = identity
        self._parts = parts
        self._hand = Hand(parts.terms.renew_interval_s)
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._busy = 0
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

    def prepare(self) -> None:
        """Start what guards the jobs; call it before the process has threads."""
        self._parts.engine.prepare()

    def start(self, call: Callable[[str, int], None], changed: Callable[[], None]) -> None:
        """Announce the worker and begin to look for work. `call(queue, n)`: please call `perform` n times."""
        self._call, self._changed = call, changed
        self._parts.keeper.start(self._announcement, Calls(self._look_for_work, self._call_again))

    def is_open(self) -> bool:
        """Whether it would take another job now."""
        return not self._parts.ends.draining.is_set() and self._parts.host.free_slots() > 0

    def perform(self, queue: str, show: Callable[[str], None]) -> str | None:
        """Run one job, if there is one; answers its id. `show` is called with the id before the job starts."""
        won = self._next()
        if won is None:
            return None
        attempt = won.attempt
        if self._parts.ends.closing.is_set():
            attempt.stop(Stop.LOST, grace_s=0)
        try:
            _log.info("job %s: claimed with fence %s", attempt.id, attempt.fence)
            self._show(show, attempt.id)
            if won.more:
                self._look_for_work()
            self._carry_out(attempt)
        finally:
            self._drop(attempt)
            self._leave_one()
        return attempt.id

    def drain(self, done: Callable[[], None]) -> None:
        """Take nothing more. `done` is called once nothing runs: by itself, or stopped after `drain_timeout_s`.

        A ledger that is away then does not hold the worker up for long: what it could not be told, it finds out when
        leases run out.
        """
        self._parts.ends.draining.set()
        self._changed()
        threading.Thread(target=self._drain, args=(done,), name="hysds-drain", daemon=True).start()

    def close(self) -> None:
        """End everything at once; whatever still runs is killed, and its leases go back as lost."""
        self._parts.ends.draining.set()
        self._parts.ends.closing.set()
        for attempt in self._parts.holdings.all():
            attempt.stop(Stop.LOST, grace_s=0)
        self._parts.keeper.close()
        self._parts.engine.close()
        try:
            self._parts.ledger.leave(self.incarnation)
        except HysdsError as error:
            _log.warning("the ledger was not told that this worker left: %s", error)

    def _next(self) -> Won | None:
        with self._lock:
            self._called_at = -math.inf
            self._busy += 1
        won = self._hand.take()
        if won is not None:
            return won
        try:
            won = self._parts.claims.claim() if self.is_open() else None
        except Unreachable as error:
            _log.warning("a bid was given up: %s", error)
        finally:
            if won is None:
                self._leave_one()
        return won

    def _drop(self, attempt: Attempt) -> None:
        self._parts.holdings.let_go(attempt)
        self._parts.host.give_back(attempt.id, attempt.fence)

    def _leave_one(self) -> None:
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()
        self._changed()

    def _carry_out(self, attempt: Attempt) -> None:
        verdict = run.run(attempt, self._parts.tools)
        if isinstance(verdict, Commit):
            self._commit(attempt, verdict)
        elif verdict is not None:
            self._give_back(verdict)

    def _commit(self, attempt: Attempt, commit: Commit) -> None:
        try:
            committed, following = self._parts.claims.commit(commit, self._wants_more)
        except HysdsError as error:
            _log.error("job %s: its end was not recorded: %s", attempt.id, error)
            return
        if following is not None:
            self._hand_on(following)
        if committed.how is Committing.DONE:
            _log.info(
                "job %s: %s%s", attempt.id, committed.status, f" ({commit.reason})" if commit.reason else ""
            )
        if committed.how is Committing.TOO_LATE:
            # The next attempt would begin after the job's deadline: this failure is the last one.
            self._commit(attempt, replace(commit, status=Status.FAILED, wake_ms=0))
        elif committed.how is Committing.NOT_ASKED:
            _log.warning("job %s: stopped, but the ledger forgot who asked for it: it goes back", attempt.id)
            self._give_back(run.GiveBack(attempt.id, attempt.fence, commit.detail))
        elif committed.how is Committing.LOST:
            _log.warning(
                "job %s: the lease with fence %s was lost; nothing is recorded", attempt.id, attempt.fence
            )

    def _hand_on(self, won: Won) -> None:
        """To a request of its own; back to the ledger if the worker has begun to drain meanwhile."""
        if self._hand.put(won):
            self._ask(won.attempt.record.queue)
        else:
            self._return(won)

    def _return(self, won: Won) -> None:
        self._give_back(run.GiveBack(won.attempt.id, won.attempt.fence, ""))
        self._drop(won.attempt)

    def _give_back(self, back: run.GiveBack) -> None:
        try:
            self._parts.claims.persist(
                partial(self._parts.ledger.release, back.id, back.fence, 0, back.detail)
            )
        except HysdsError as error:
            _log.error("job %s: it could not be given back, so its lease runs out: %s", back.id, error)

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

    def _call_again(self) -> None:
        """Nobody else can run what is in hand."""
        for queue in self._hand.overdue():
            self._ask(queue)

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

    def _drain(self, done: Callable[[], None]) -> None:
        parts = self._parts
        with self._lock:
            self._busy += 1
        threading.Thread(
            target=self._return_all, args=(self._hand.shut(),), name="hysds-hand", daemon=True
        ).start()
        last_word_s = _LAST_WORD_RENEWALS * parts.terms.renew_interval_s
        stopped_s = parts.terms.stop_grace_s + last_word_s
        giving_up = threading.Timer(parts.drain_timeout_s + stopped_s, parts.ends.closing.set)
        giving_up.daemon = True
        giving_up.start()
        try:
            if not self._is_idle_within(parts.drain_timeout_s):
                for attempt in parts.holdings.all():
                    attempt.stop(Stop.DRAIN, parts.terms.stop_grace_s)
                if not self._is_idle_within(stopped_s + last_word_s):
                    _log.error("the worker leaves without having told the ledger of all its jobs")
        finally:
            giving_up.cancel()
            done()

    def _is_idle_within(self, timeout_s: float) -> bool:
        with self._idle:
            return self._idle.wait_for(lambda: self._busy == 0, timeout_s)

    def _return_all(self, left: tuple[Won, ...]) -> None:
        """What nobody has begun goes back at once."""
        try:
            for won in left:
                self._return(won)
        finally:
            self._leave_one()

    def _announcement(self) -> Announcement:
        identity = self._identity
        return Announcement(
            host=identity.host,
            name=identity.name,
            queues=identity.queues,
            slots=0 if self._parts.ends.draining.is_set() else identity.slots,
            fit=self._parts.host.fit(),
            facts=self._facts(),
        )

    def _facts(self) -> str:
        """What people are told of this worker, as JSON; nothing decides by it."""
        whole, free = self._parts.host.capacities()
        told = {
            "has": asdict(whole),
            "free": asdict(free),
            "lease_ms": round(self._parts.terms.lease_s * 1000),
            "announce_ms": round(self._parts.terms.announce_s * 1000),
        }
        return json.dumps(json.loads(self._identity.facts) | told)


def _nobody(queue: str, times: int) -> None:
    """Before `start` nobody is there to be asked."""


def _nothing() -> None:
    """Before `start` there is no gate."""
