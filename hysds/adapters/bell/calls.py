"""Calls over the broker by Celery, with results: an app of the sender's own that knows tasks by name alone."""

from __future__ import annotations

import contextlib
from typing import Any

from celery import Celery
from celery.exceptions import TimeoutError as NoAnswer
from kombu.exceptions import OperationalError

from hysds.core.errors import Unreachable
from hysds.lib import transport_retry
from hysds.settings import celery as image
from hysds.settings import urls
from hysds.settings.model import Settings

_PERSISTENCE = transport_retry.Persistence(attempts=2, first_wait_s=0.05, longest_wait_s=0.05)


class SentCall:
    """A call on its way."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    @property
    def id(self) -> str:
        """The message's id."""
        return str(self._answer.id)

    def result(self, timeout_s: float | None = None) -> Any:
        """Wait for the answer; see the port."""
        try:
            return self._answer.get(timeout=timeout_s, disable_sync_subtasks=False)
        except NoAnswer as error:
            raise TimeoutError(f"call {self.id} was not answered yet") from error


class CeleryCalls:
    """Sends through Celery."""

    def __init__(self, settings: Settings) -> None:
        config = image.celery_config(settings) | image.result_config(settings)
        self._where = urls.masked(settings.broker_url)
        self._url = str(config["broker_url"])
        self._app = Celery("hysds.caller", set_as_current=False)
        self._app.config_from_object(config)
        template = self._app.connection_for_write(self._url)
        self._errors = (OperationalError, *template.connection_errors, *template.channel_errors)

    def send(self, task: str, argument: object, queue: str, priority: int | None = None) -> SentCall:
        """Have a task called; see the port."""

        def send() -> Any:
            return self._app.send_task(
                task,
                args=(argument,),
                queue=queue,
                priority=priority,
                delivery_mode="persistent",
                retry=False,
            )

        try:
            return SentCall(transport_retry.insist(send, self._errors, _PERSISTENCE))
        except self._errors as error:
            reason = f"{self._where}: {type(error).__name__}; look whether it runs, and at the settings of `broker`"
            raise Unreachable("broker", reason) from error

    def close(self) -> None:
        """Let go of connections."""
        with contextlib.suppress(AttributeError):  # nobody asked for a result
            self._app.backend.result_consumer.stop()  # Celery leaves its connection open
        self._app.close()
