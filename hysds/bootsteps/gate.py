"""The gate: a worker takes bells only while a slot is free, the host is healthy and nobody drains.

A bell is acknowledged when it is heard, so one that a full worker took would lie there while another worker is idle.
The gate is one for the whole life of the worker; connections to the broker come and go under it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from celery import bootsteps
from celery.worker import state

from hysds.bootsteps.gathering import Gathering
from hysds.bootsteps.message import has_expired, is_for_us, local_bell, queue_of
from hysds.bootsteps.valves import Valve, valve_for
from hysds.celery import LeaseWorker
from hysds.lib import readiness
from hysds.settings import environment

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)
"""What kombu raises, before any of us sees it, over an item of a Redis list that is no message at all. It is popped
and gone by then: the connection begins anew, instead of the worker's end.
"""

_logger = logging.getLogger(__name__)


class Gate(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery publishes no types
    """Takes bells while the job worker wants them, and lets its local requests in."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        parent.connection_errors = (*parent.connection_errors, *_UNREADABLE)
        self._consumer = parent
        self._worker: LeaseWorker | None = None
        self._valve: Valve | None = None
        self._strategy: Callable[..., object] = _nothing
        """How Celery lets a request of our own in; any thread may call it."""
        self._asked: deque[str] = deque()
        """The queues of what was asked for and not yet let in."""
        self._was_open: bool | None = None
        """What the valve was told last; None while it is told."""
        self._gathering: Gathering | None = None

    def start(self, parent: Any) -> None:
        """With each connection: leave Celery no task to run for a message; a bell's is run for local requests alone."""
        self._strategy = parent.strategies[parent.app.request_name]
        parent.strategies.clear()
        driver = parent.connection.transport.driver_type
        self._valve = valve_for(driver, parent.task_consumer, self._told)
        self._gathering = Gathering(parent)

    def register_with_event_loop(self, parent: Any, hub: Any) -> None:
        """With each connection, just before messages flow; the first time the job worker begins to work."""
        consumer = parent.task_consumer
        consumer.on_message = partial(self._heard, consumer.on_message)
        hub.call_soon(self._look)
        if self._worker is None:
            parent.app.look_again = self._changed
            self._worker = parent.app.lease_worker
            self._worker.start(self._call, self._changed)
            readiness.tell(environment.ready_fd())

    def stop(self, parent: Any) -> None:
        """The connection is lost, or the worker ends."""
        valve, self._valve = self._valve, None
        if valve is not None:
            valve.close()
        if self._gathering is not None:
            self._gathering.close()
        self._admit()

    # ---- asked by the job worker, in any thread --------------------------------------------------------------------

    def _call(self, queue: str, times: int) -> None:
        # Not by way of the hub: that would cost two changes of threads, and may wait for a broker that hangs.
        self._asked.extend([queue] * times)
        self._admit()

    def _changed(self) -> None:
        if self._is_open() != self._was_open:
            self._consumer.call_soon(self._look)

    # ---- in the hub's thread ---------------------------------------------------------------------------------------

    def _is_open(self) -> bool:
        if self._worker is None or len(state.reserved_requests) >= self._worker.slots:
            return False
        return self._worker.is_open()

    def _told(self) -> bool:
        """For the valve. A change that comes while it is answered wakes the hub once more."""
        self._was_open = None
        self._was_open = is_open = self._is_open()
        return is_open

    def _look(self) -> None:
        if self._valve is None:
            return
        broken = (*self._consumer.connection_errors, *self._consumer.channel_errors)
        try:
            self._valve.look()
        except broken as error:
            # The event loop meets the same broken connection, and mends it.
            _logger.debug("the gate could not be moved: %r", error)

    def _heard(self, reject: Callable[[Any], None], message: Any) -> None:
        """A message came. `reject` is Celery's way to take one, with no task left that it knows."""
        if not self._is_open():
            self._look()
            message.requeue()
            return
        try:
            if not is_for_us(message):
                reject(message)
            elif not has_expired(message, datetime.now(UTC)):
                self._asked.append(queue_of(message))
        except Exception as error:  # noqa: BLE001 - outer shell: no message may end the worker
            # Nothing is handed on: kombu counts a KeyError among the transport's errors, so a message without an id
            # would break the connection, go back to the queue and break the next one. A dead connection shows itself.
            _logger.error("dropped a message that is no bell: %r, headers %r", error, message.headers)
        if not message.acknowledged:
            message.ack_log_error(_logger, self._consumer.connection_errors)
        self._admit()

    def _admit(self) -> None:
        app = self._consumer.app
        while self._asked:
            try:
                queue = self._asked.popleft()
            except IndexError:  # another thread was faster
                return
            self._strategy(local_bell(app, queue, app.request_name), None, _nothing, _nothing, ())


def _nothing(*_: object) -> None:
    """Acknowledge or reject what no broker waits for."""
