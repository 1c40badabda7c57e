"""Keeps the leases of a worker: renews them, listens to the worker's inbox, and tells the engine that it lives.

Two threads: one renews at a fixed pace and beats, one waits for notices. What a notice or a renewal says is addressed
to a lease (id and fence), never to a job: a late word about an old lease can't touch a new one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from hysds.core import ledger_clock
from hysds.core.errors import Unreachable
from hysds.core.floor_requests import Announcement, Drain, Notice
from hysds.core.requests import Renewal, Renewed, Standing
from hysds.leasing.attempt import Attempt, Stop
from hysds.leasing.claims import Claims
from hysds.leasing.holdings import Holdings
from hysds.leasing.host import Host
from hysds.lib.process.ending import boot_s
from hysds.ports.engines import Engine
from hysds.ports.ledger import Ledger

_LISTEN_S = 5.0
_LONGEST_PAUSE_S = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """Times of a worker's leases, in seconds."""

    lease_s: float
    renew_interval_s: float
    announce_s: float
    stop_grace_s: float

    @property
    def sure_s(self) -> float:
        """For how long after the sending of a renewal the leases that it lengthened can be nobody else's."""
        return ledger_clock.sure_s(self.lease_s)


@dataclass(frozen=True, slots=True)
class Watched:
    """What the keeper looks after."""

    claims: Claims
    holdings: Holdings
    host: Host


@dataclass(frozen=True, slots=True)
class Calls:
    """What a keeper calls. Neither may raise."""

    work: Callable[[], None]
    """There may be a job to claim."""
    tick: Callable[[], None]
    """A renewal's time has passed."""
    order: Callable[[Drain | None], None]
    """Whether the worker is to take no more jobs, as each renewal says."""


class LeaseKeeper:
    """Holds on to leases until they are let go. Any thread may call any method."""

    def __init__(self, worker: str, ledger: Ledger, engine: Engine, parts: Watched, terms: Terms) -> None:
        self._worker = worker
        self._ledger = ledger
        self._engine = engine
        self._claims = parts.claims
        self._holdings = parts.holdings
        self._host = parts.host
        self._terms = terms
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._is_drained = False
        self._renewing: threading.Thread | None = None

    def start(self, announce: Callable[[], Announcement], calls: Calls) -> None:
        """Begin. `announce` says what to tell of the worker."""
        self._renewing = threading.Thread(
            target=self._renew_for_ever, args=(announce, calls), name="hysds-renew", daemon=True
        )
        self._renewing.start()
        threading.Thread(target=self._listen_for_ever, args=(calls,), name="hysds-inbox", daemon=True).start()

    def hurry(self) -> None:
        """Renew now: the worker has something new to say, or to hear."""
        self._hurry.set()

    def close(self) -> None:
        """Stop renewing. The inbox is let go of when its wait ends, at the latest when the ledger is closed."""
        self._stopping.set()
        self._hurry.set()
        if self._renewing is not None:
            self._renewing.join()

    def renew(self, announcement: Announcement) -> Renewed:
        """One renewal, now.

        Raises: Unreachable
        """
        attempts = self._holdings.all()
        given_up = self._claims.given_up()
        rounds = self._claims.rounds()
        renewal = Renewal(
            worker=self._worker,
            announcement=announcement,
            held=tuple(attempt.held() for attempt in attempts),
            given_up=given_up,
            lease_ms=round(self._terms.lease_s * 1000),
            announce_ms=round(self._terms.announce_s * 1000),
        )
        sent_s = boot_s()
        try:
            renewed = self._ledger.renew(renewal)
        except Unreachable:
            for attempt in attempts:
                attempt.unanswered(sent_s, sent_s + self._terms.sure_s)
            raise
        self._claims.forget(given_up)
        for attempt, standing in zip(attempts, renewed.standings, strict=True):
            self._heed(attempt, standing)
            if standing is not Standing.LOST:
                attempt.renewed(sent_s + self._terms.sure_s)
        if rounds == self._claims.rounds() and rounds % 2 == 0:
            self._give_up_unlisted(renewed)
        self._host.learn(renewed.unknown)
        return renewed

    def _heed(self, attempt: Attempt, standing: Standing) -> None:
        if standing is Standing.LOST:
            attempt.stop(Stop.LOST, grace_s=0)
        elif standing is Standing.CANCEL:
            attempt.stop(Stop.CANCEL, self._terms.stop_grace_s)

    def _give_up_unlisted(self, renewed: Renewed) -> None:
        """No bid was under way, and yet the ledger knows a lease that we don't: nobody will ever run it.

        The next renewal names the wish that won it, and it goes back as if it had never been won.
        """
        unknown = [lease for lease in renewed.unlisted if self._holdings.get(*lease) is None]
        kept = self._ledger.kept([id_ for id_, _ in unknown]) if unknown else ()
        for (id_, fence), held in zip(unknown, kept, strict=True):
            if held is not None and held.record.fence == fence:
                _log.warning("job %s: the lease with fence %s is nobody's here; it goes back", id_, fence)
                self._claims.give_up(held.record.nonce)

    def _renew_for_ever(self, announce: Callable[[], Announcement], calls: Calls) -> None:
        following = time.monotonic()
        # A lease counts from the sending of the renewal that the ledger answered, not from when an answer stayed away.
        reached_s = boot_s()
        while not self._is_over(following):
            following = time.monotonic() + self._terms.renew_interval_s
            sent_s = boot_s()
            try:
                if self._keep(announce, calls, reached_s):
                    reached_s = sent_s
                calls.tick()
            except Exception:  # noqa: BLE001  the thread must live: without renewals every job of this worker is lost
                _log.exception("a renewal failed")

    def _is_over(self, following_s: float) -> bool:
        """Wait for the next renewal's time, or until somebody is in a hurry; whether there is none any more."""
        self._hurry.wait(max(following_s - time.monotonic(), 0))
        self._hurry.clear()
        return self._stopping.is_set()

    def _keep(self, announce: Callable[[], Announcement], calls: Calls, reached_s: float) -> bool:
        """Whether the leases were renewed; if not, the engine is told since when they have not been."""
        self._engine.beat()
        try:
            renewed = self.renew(announce())
        except Unreachable as error:
            _log.warning("leases are not renewed: %s", error)
            self._engine.isolated(reached_s)
            return False
        except Exception:
            # Whatever it was, nothing was renewed: jobs may not run on for ever under leases that ran out.
            self._engine.isolated(reached_s)
            raise
        self._engine.connected()
        self._is_drained = renewed.drain is not None
        calls.order(renewed.drain)
        if renewed.ready or set(renewed.unknown) & set(self._host.fit().now):
            calls.work()
        return True

    def _listen_for_ever(self, calls: Calls) -> None:
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            following_s = min(max(pause_s * 2, 0.1), _LONGEST_PAUSE_S)
            try:
                for notice in self._ledger.listen(self._worker, _LISTEN_S):
                    self._take(notice, calls.work)
                pause_s = 0.0
            except Unreachable:
                pause_s = following_s
            except Exception:  # noqa: BLE001  the thread must live: renewals alone are slow to tell of a cancel
                _log.exception("the inbox could not be read")
                pause_s = following_s

    def _take(self, notice: str, work: Callable[[], None]) -> None:
        match notice.split(" "):
            case [Notice.WAKE] if not self._is_drained:
                work()
            case [Notice.WAKE | Notice.DRAIN]:
                self.hurry()  # an order was given, or taken back: the answer to a renewal says which
            case [Notice.LOST | Notice.CANCEL as word, id_, fence] if fence.isdecimal():
                attempt = self._holdings.get(id_, int(fence))
                if attempt is not None:
                    self._heed(attempt, Standing.LOST if word == Notice.LOST else Standing.CANCEL)
            case _:
                _log.warning("a notice of another version was left out: %r", notice[:100])
