"""Bells as Celery messages, on Redis or RabbitMQ.

The sender has an app of its own, made from the settings and never the worker's: it knows the name of one task and loads
none. A bell is not persistent and expires: the ledger knows of the work that it spoke of.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote

from celery import Celery
from kombu.exceptions import OperationalError

from hysds.core.errors import Unreachable
from hysds.lib import server_url, transport_retry
from hysds.settings import celery as image
from hysds.settings import urls
from hysds.settings.model import Settings

TASK = "hysds.job_worker.run_job"
"""What a job worker's app calls the task that hears a bell (`hysds.tasks`)."""

_IDLE_CONNECTIONS = 4
_NOT_FOUND = "404"
# The second attempt is for a kept connection that the broker has closed meanwhile; it opens a new one.
_PERSISTENCE = transport_retry.Persistence(attempts=2, first_wait_s=0.05, longest_wait_s=0.05)


class CeleryBell:
    """Rings through Celery; any thread may ring."""

    def __init__(self, settings: Settings) -> None:
        config = image.celery_config(settings)
        self._url = settings.broker_url
        self._config_url = str(config["broker_url"])
        self._expires_s = settings.broker.bell_expires_s
        self._app = Celery("hysds.sender", set_as_current=False)
        self._app.config_from_object(config)
        self._idle: deque[Any] = deque()
        template = self._connect()
        self._errors = (OperationalError, *template.connection_errors, *template.channel_errors)

    def ring(self, queue: str, times: int) -> None:
        """Ring a queue's bell so many times, on one connection.

        Raises: Unreachable when the broker does not take it; some of the bells may have been rung then.
        """
        if times <= 0:
            return
        try:
            transport_retry.insist(partial(self._ring, queue, times), self._errors, _PERSISTENCE)
        except self._errors as error:
            raise Unreachable("broker", self._reason(error)) from error

    def waiting(self, queue: str) -> int:
        """How many bells lie in a queue; 0 where there is no such queue.

        Raises: Unreachable when the broker does not say.
        """
        return self._asked(queue, _count)

    def drop(self, queue: str) -> int:
        """Take away the bells that lie in a queue; answers how many.

        Raises: Unreachable when the broker does not say.
        """
        return self._asked(queue, _purge)

    def close(self) -> None:
        """Let go of the connections that no thread is ringing on."""
        while (connection := self._kept()) is not None:
            connection.collect()

    def _ring(self, queue: str, times: int) -> None:
        connection = self._kept() or self._connect()
        try:
            with self._app.amqp.Producer(connection, auto_declare=False) as producer:
                for _ in range(times):
                    self._send(queue, producer)
        except BaseException:
            connection.collect()
            raise
        if len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.collect()

    def _asked(self, queue: str, ask: Callable[[Any, str], int]) -> int:
        try:
            return transport_retry.insist(partial(self._ask, queue, ask), self._errors, _PERSISTENCE)
        except self._errors as error:
            raise Unreachable("broker", self._reason(error)) from error

    def _ask(self, queue: str, ask: Callable[[Any, str], int]) -> int:
        # A connection of its own: RabbitMQ closes a channel on which an unknown queue was asked for.
        with self._connect() as connection, connection.channel() as channel:
            try:
                return ask(channel, queue)
            except connection.channel_errors as error:
                if str(getattr(error, "reply_code", "")) == _NOT_FOUND:  # Redis says it as a text
                    return 0
                raise

    def _send(self, queue: str, producer: Any) -> None:
        self._app.send_task(
            TASK,
            args=(queue,),
            queue=queue,
            producer=producer,
            expires=self._expires_s,  # the worker drops what it hears too late
            expiration=self._expires_s,  # and RabbitMQ what nobody takes
            delivery_mode="transient",
            ignore_result=True,
            retry=False,
        )

    def _kept(self) -> Any:
        """A connection that rang before and is idle; None if there is none."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self) -> Any:
        """A connection that opens when it is first used. The URL is named: Celery's variables don't override it."""
        return self._app.connection_for_write(self._config_url)

    def _reason(self, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}"
        for secret in filter(None, (server_url.split(self._url).password,)):
            text = text.replace(secret, "***").replace(unquote(secret), "***")
        return f"{urls.masked(self._url)}: {text}; look whether it runs, and at the settings of `broker`"


def _count(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def _purge(channel: Any, queue: str) -> int:
    return _count(channel, queue) and int(channel.queue_purge(queue))
