"""Tells people of alarms over mail and webhooks: one message at a time, from one reconciler at a time.

Each channel has a turn in the ledger's server. Whoever has it reads the alarms anew, sends, and notes what was told
before the turn goes on: one that dies in between leaves a message that may come twice, never one that never comes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hysds.core import alarms
from hysds.core.alarms import Alarm, Message
from hysds.core.errors import HysdsError
from hysds.core.metric_names import Metric
from hysds.ports.alarms import Alarms
from hysds.ports.metrics import Metrics
from hysds.ports.notifier import Hook, Mail, Notifier

_TURN_MS = 300_000
"""Longer than any message takes, with all its tries."""
_AGAIN_MS = 60_000
"""After how long a message that was not taken is tried again."""
_MAIL = "mail"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """Whom to tell, and how often. `repeat_ms` of None: nothing twice."""

    system: str = "hysds"
    """What the system is called."""
    mail_to: tuple[str, ...] = ()
    webhooks: tuple[str, ...] = field(default=(), repr=False)
    repeat_ms: int | None = None
    gather_ms: int = 60_000
    """The least between two messages over one channel."""


class _Channel(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def where(self) -> str:
        """For the log; nothing of it is a secret."""

    def send(self, message: Message, system: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _ByMail:
    notifier: Notifier
    to: tuple[str, ...]
    kind: str = _MAIL

    @property
    def where(self) -> str:
        return ", ".join(self.to)

    def send(self, message: Message, system: str) -> None:
        self.notifier.mail(Mail(self.to, alarms.subject(message, system), alarms.text(message)))


@dataclass(frozen=True, slots=True)
class _ByHook:
    notifier: Notifier
    url: str = field(repr=False)
    number: int
    kind: str = "webhook"

    @property
    def where(self) -> str:
        return f"the webhook on line {self.number} of watchdogs.webhooks_file"

    def send(self, message: Message, system: str) -> None:
        head = alarms.subject(message, system)
        document = {
            "text": f"{head}\n{alarms.text(message)}",  # what chat rooms show
            "subject": head,
            "system": system,
            "alarms": alarms.documents(message),
        }
        self.notifier.hook(Hook(self.url, document))


class Notifying:
    """One thread. `member` names this life of this process."""

    def __init__(
        self, told: Told, member: str, shelf: Alarms, notifier: Callable[[], Notifier], metrics: Metrics
    ) -> None:
        """`notifier` is asked for where anybody is to be told."""
        self._told = told
        self._member = member
        self._shelf = shelf
        self._metrics = metrics
        self._by_name: Mapping[str, _Channel] = _channels(told, notifier)
        self._failing: set[str] = set()

    @property
    def channels(self) -> frozenset[str]:
        """The names of all channels, as alarms note them."""
        return frozenset(self._by_name)

    def tell(self, known: Iterable[Alarm], now_ms: int) -> None:
        """Send what is due. A channel that takes nothing is logged once, and tried again.

        Raises: Unreachable where the ledger's server does not answer.
        """
        known = list(known)
        for name, channel in self._by_name.items():
            if not alarms.message(known, name, self._told.repeat_ms, now_ms):
                continue
            if self._shelf.take_turn(name, self._member, _TURN_MS):
                is_taken = self._tell(name, channel)
                self._shelf.end_turn(name, self._member, self._told.gather_ms if is_taken else _AGAIN_MS)

    def try_out(self, now_ms: int) -> list[tuple[str, HysdsError | None]]:
        """See `Watchdogs.try_out`."""
        trial = Alarm(
            "test", "test", "test", "of mail and webhooks: all is well if you read this", now_ms, now_ms
        )
        found: list[tuple[str, HysdsError | None]] = []
        for channel in self._by_name.values():
            try:
                channel.send(Message(begun=(trial,)), self._told.system)
            except HysdsError as error:
                found.append((channel.where, error))
            else:
                found.append((channel.where, None))
        return found

    def _tell(self, name: str, channel: _Channel) -> bool:
        """Whether the message was taken, if there is one at all: another reconciler may have had the turn before."""
        now_ms, known = self._shelf.all()
        message = alarms.message(known, name, self._told.repeat_ms, now_ms)
        if not message:
            return True
        try:
            channel.send(message, self._told.system)
        except HysdsError as error:
            self._metrics.count(Metric.NOTIFIED, channel=channel.kind, outcome="failed")
            if name not in self._failing:
                _log.error("nobody could be told of alarms by %s: %s", channel.where, error)
            self._failing.add(name)
            return False
        self._failing.discard(name)
        self._metrics.count(Metric.NOTIFIED, channel=channel.kind, outcome="sent")
        self._note(alarms.after(message, name, now_ms), name)
        return True

    def _note(self, told: Iterable[Alarm], name: str) -> None:
        """Also where another reconciler changed the alarm meanwhile: what was told, was told."""
        for alarm in told:
            if self._shelf.put(alarm):
                continue
            for other in self._shelf.all()[1]:
                if other.key == alarm.key and other.since_ms == alarm.since_ms:
                    kept = {channel: ms for channel, ms in other.told.items() if channel != name}
                    mine = {name: alarm.told[name]} if name in alarm.told else {}
                    self._shelf.put(alarms.stepped(other, told=kept | mine))


def _channels(told: Told, asked: Callable[[], Notifier]) -> dict[str, _Channel]:
    """Each under a name that is the same in every reconciler, and shows nothing of a URL."""
    if not told.mail_to and not told.webhooks:
        return {}
    notifier = asked()
    found: dict[str, _Channel] = {_MAIL: _ByMail(notifier, told.mail_to)} if told.mail_to else {}
    for number, url in enumerate(told.webhooks, 1):
        found[f"webhook-{hashlib.sha256(url.encode()).hexdigest()[:12]}"] = _ByHook(notifier, url, number)
    return found
