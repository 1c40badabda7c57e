"""Celery's events from the broker: one queue that all listeners share on RabbitMQ, a subscription each on Redis.

Celery's own receiver takes a queue of its own, which ends with its connection, and starts over without a bound; this
one keeps its queue for a while, bounded, so that a restart of listener or broker loses little. Events are not
acknowledged: a listener that is killed loses what it had in hand.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from celery import Celery
from celery.events.event import get_exchange
from kombu.entity import Queue
from kombu.exceptions import OperationalError

from hysds.core import celery_events
from hysds.core.errors import Unreachable
from hysds.core.happenings import Happening
from hysds.lib import clocks, server_url
from hysds.ports.overheard import Hear
from hysds.settings import celery as image
from hysds.settings import urls
from hysds.settings.model import Settings

_LISTEN_S = 0.2
"""What was heard is handed over after so long at the latest; a stop is noticed after it."""
_AT_ONCE = 500
"""So many are handed over at once."""
_MOST_HELD = 20_000
"""While nobody takes them; beyond that the oldest are let go."""
_QUEUE_ARGUMENTS = {"x-expires": 3_600_000, "x-message-ttl": 60_000, "x-max-length": 100_000}
"""Of the queue on RabbitMQ, in ms and messages: without a listener it is gone after an hour."""
_AGAIN_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between attempts to reach a broker that is away; the last one for as long as it takes."""
_LOG = logging.getLogger("hysds.indexer")


class CeleryEvents:
    """Listens on a connection of its own. `wall_ms`: the wall clock."""

    def __init__(
        self, settings: Settings, kinds: frozenset[str], wall_ms: Callable[[], int] = clocks.wall_ms
    ) -> None:
        config = image.celery_config(settings)
        self._kinds = kinds
        self._wall_ms = wall_ms
        self._where = settings.broker_url
        self._url = str(config["broker_url"])
        self._name = f"celeryev.hysds-{settings.ledger.prefix}"
        self._app = Celery("hysds.listener", set_as_current=False)
        self._app.config_from_object(config)
        template = self._connect()
        self._errors = (OperationalError, OSError, *template.connection_errors, *template.channel_errors)
        self._held: list[Happening] = []
        self._let_go = 0

    def listen(self, hear: Hear, stop: threading.Event) -> None:
        """See the port."""
        failures = 0

        def heard_again() -> None:
            nonlocal failures
            if failures:
                _LOG.info("Celery's events are heard again", extra={"action": "recovered"})
            failures = 0

        while not stop.is_set():
            try:
                self._listen(hear, stop, heard_again)
            except self._errors as error:
                if not failures:
                    reason = self._reason(error)
                    _LOG.warning("Celery's events are not heard: %s", reason, extra={"action": "outage"})
                stop.wait(_AGAIN_S[min(failures, len(_AGAIN_S) - 1)])
                failures += 1
        self._hand_over(hear)

    def _listen(self, hear: Hear, stop: threading.Event, connected: Callable[[], None]) -> None:
        """Until told to stop, or until the broker fails."""
        with self._connect() as connection:
            connection.connect()
            with connection.channel() as channel, self._consumer(connection, channel):
                connected()
                while not stop.is_set():
                    self._gather(connection)
                    self._hand_over(hear)
                    if connection.supports_heartbeats:
                        connection.heartbeat_check()

    def _consumer(self, connection: Any, channel: Any) -> Any:
        exchange = get_exchange(connection, self._app.conf.event_exchange)
        kept: Any = {"durable": True, "queue_arguments": _QUEUE_ARGUMENTS, "no_ack": True}
        queue = Queue(self._name, exchange, routing_key="#", **kept)  # type: ignore[no-untyped-call]
        heard, odd = [self._receive], self._pass_over
        return self._app.amqp.Consumer(
            channel, [queue], callbacks=heard, accept=["json"], on_decode_error=odd
        )

    def _gather(self, connection: Any) -> None:
        """Wait for messages; each has up to some dozens of events."""
        until_s = time.monotonic() + _LISTEN_S
        while len(self._held) < _AT_ONCE and (left_s := until_s - time.monotonic()) > 0:
            try:
                connection.drain_events(timeout=left_s)
            except TimeoutError:
                return

    def _receive(self, body: Any, message: Any) -> None:
        now_ms = self._wall_ms()
        for event in body if isinstance(body, list) else [body]:
            told = celery_events.happening(event, now_ms, self._kinds)
            if told is not None:
                self._held.append(told)

    def _pass_over(self, message: Any, error: Exception) -> None:
        """Whoever may write to the broker may write anything; it is no event."""
        _LOG.warning("a message among Celery's events is none: %s", type(error).__name__)

    def _hand_over(self, hear: Hear) -> None:
        if not self._held:
            return
        try:
            hear(self._held)
        except Unreachable as error:
            if not self._let_go:
                _LOG.warning("Celery's events are not written down: %s", error, extra={"action": "outage"})
            spare = max(len(self._held) - _MOST_HELD, 0)
            self._let_go = max(self._let_go + spare, 1)
            del self._held[:spare]
            return
        self._held, self._let_go = [], 0

    def _connect(self) -> Any:
        """A connection that opens when it is told to. The URL is named: Celery's variables don't override it."""
        return self._app.connection_for_read(self._url)

    def _reason(self, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}"
        for secret in filter(None, (server_url.split(self._where).password,)):
            text = text.replace(secret, "***").replace(unquote(secret), "***")
        return f"{urls.masked(self._where)}: {text}"
