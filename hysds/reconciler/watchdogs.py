"""The duty that watches: looks, keeps alarms, drains workers on which everything fails, and tells of it.

It has a thread of its own: a mail server that hangs must not keep a lease from running out. Several reconcilers share
the alarms: each begins once, is one event, and is told by one of them.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from hysds.core import alarms
from hysds.core.alarms import Alarm
from hysds.core.errors import HysdsError
from hysds.core.happenings import EVENT, Happening
from hysds.core.metric_names import Metric
from hysds.core.metric_series import Values
from hysds.core.watchdogs import Kind
from hysds.ports.alarms import Alarms
from hysds.ports.journal import Journal
from hysds.ports.ledger import Ledger
from hysds.ports.metrics import Metrics
from hysds.reconciler.notifying import Notifying
from hysds.reconciler.sights import Look, Sights

TYPE = "watchdog"
RAISED, OVER = "alarm-raised", "alarm-over"
DRAIN_TYPE, DRAIN_STATUS = "worker_anomaly", "job_drain"
"""As HySDS calls a worker that takes no more jobs because job after job fails."""
_NAMES = uuid.UUID("9d0f2c1e-6f0a-5e0c-9f57-1d8b1a2c7e55")
"""So that an event that is told again has the same id."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Books:
    """Where alarms are kept and told."""

    alarms: Alarms
    journal: Journal
    metrics: Metrics


class Watchdogs:
    """One thread calls `run` or `look`. `channels` names whom `notifying` tells."""

    def __init__(self, sights: Sights, ledger: Ledger, books: Books, notifying: Notifying) -> None:
        self._sights = sights
        self._ledger = ledger
        self._books = books
        self._notifying = notifying
        self._is_refused = False

    def run(self, stop: threading.Event, every_s: float) -> None:
        """Look now and then, until told to stop. What can't be looked at is looked at next time."""
        while not stop.is_set():
            try:
                self.look()
            except HysdsError as error:
                if not self._is_refused:
                    _log.warning("nothing is watched: %s", error)
                self._is_refused = True
            else:
                self._is_refused = False
            stop.wait(every_s)

    def look(self) -> int:
        """Look once, and tell; answers how many alarms began.

        Raises: Unreachable
        """
        now_ms, known = self._books.alarms.all()
        look = self._sights.look(known, now_ms)
        self._drain(look, now_ms)
        standing = {alarm.key: alarm for alarm in known}
        begun = 0
        for alarm in alarms.seen(known, look.sight, now_ms):
            if not self._books.alarms.put(alarm):
                standing.pop(
                    alarm.key, None
                )  # another reconciler was first: the next look sees what it made of it
                continue
            standing[alarm.key] = alarm
            if alarm.revision == 1:
                begun += 1
                self._begun(alarm)
        self._note(standing.values())
        self._measure(standing.values())
        self._notifying.tell(standing.values(), now_ms)
        self._forget(standing.values(), now_ms)
        return begun

    def try_out(self) -> list[tuple[str, HysdsError | None]]:
        """Send a message to everybody who is told: to whom, and why it was not taken (None: it was)."""
        return self._notifying.try_out(self._books.alarms.all()[0])

    def _drain(self, look: Look, now_ms: int) -> None:
        """Told before it is done: whoever dies between the two leaves it to the next, which tells the same event."""
        failing = {one.worker: one for one in look.sight.troubles if one.kind is Kind.WORKER_FAILING}
        for order in look.drains:
            if order.name in failing:
                self._books.journal.tell([_drained(alarms.begun(failing[order.name], now_ms, True))])
            self._ledger.drain(order)
            _log.warning("worker %s is drained: %s", order.name, order.reason, extra={"worker": order.name})

    def _begun(self, alarm: Alarm) -> None:
        extra = {"action": "alarm", "watchdog": alarm.kind}
        _log.warning("%s %s", alarm.subject, alarm.what, extra=extra)
        self._books.metrics.count(Metric.WATCHDOG_RAISED, watchdog=alarm.kind)

    def _note(self, standing: Iterable[Alarm]) -> None:
        """The event of each beginning, told before it is marked: whoever dies between the two leaves it to the next,
        and an event that is told twice is one.
        """
        for alarm in standing:
            if not alarm.is_noted:
                self._books.journal.tell([_event(alarm, RAISED, alarm.since_ms)])
                self._books.alarms.put(alarms.stepped(alarm, is_noted=True))

    def _measure(self, standing: Iterable[Alarm]) -> None:
        counts = Counter(alarm.kind for alarm in standing if alarm.stands)
        rows: dict[Values, float] = {(kind.value,): float(counts[kind]) for kind in Kind}
        self._books.metrics.table(Metric.WATCHDOG_ALARMS, rows)

    def _forget(self, standing: Iterable[Alarm], now_ms: int) -> None:
        for alarm in standing:
            if alarms.is_forgettable(alarm, self._notifying.channels, now_ms):
                self._books.journal.tell([_event(alarm, OVER, alarm.over_ms)])
                if self._books.alarms.drop(alarm):
                    _log.info("over: %s %s", alarm.subject, alarm.what, extra={"watchdog": alarm.kind})


def _event(alarm: Alarm, status: str, at_ms: int) -> Happening:
    name = f"{alarm.key} {alarm.since_ms} {status}"
    return Happening(
        id=str(uuid.uuid5(_NAMES, name)),
        resource=EVENT,
        type=TYPE,
        status=status,
        at_ms=at_ms,
        hostname=alarm.worker,
        tags=(alarm.kind,),
        event=alarms.document(alarm),
    )


def _drained(alarm: Alarm) -> Happening:
    """Beside the alarm's own event, in the words that HySDS has for it."""
    return Happening(
        id=str(uuid.uuid5(_NAMES, f"{alarm.key} {DRAIN_STATUS}")),
        resource=EVENT,
        type=DRAIN_TYPE,
        status=DRAIN_STATUS,
        at_ms=alarm.since_ms,
        hostname=alarm.worker,
        tags=(alarm.kind,),
        event=alarms.document(alarm),
    )
