"""The queue in which a worker hears remote control (`celery inspect`, `celery control`).

Celery names it after the worker and has RabbitMQ give it to one connection alone. A second worker of the name would
not start, and neither would one whose predecessor's connection RabbitMQ has not yet found dead (a host that crashed,
a network that was cut: up to two heartbeats). So each connection gets a queue of its own; commands go to all of them,
by an exchange, and name the workers that they are for. On Redis a queue belongs to nobody, and its name would outlive
a killed worker: there it stays as it is.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from celery.app.control import Control
from kombu.entity import Queue
from kombu.pidbox import Mailbox


class OwnQueues(Mailbox):
    """A mailbox whose workers share no queue."""

    def get_queue(self, hostname: str) -> Queue:
        """A new queue for a worker of this name; gone with its connection."""
        queue: Queue = super().get_queue(f"{hostname}.{uuid4()}")  # type: ignore[no-untyped-call]
        return queue


class JobControl(Control):  # type: ignore[misc]  # Celery publishes no types
    """Celery's, with a mailbox that suits the broker."""

    def __init__(self, app: Any = None) -> None:
        if urlsplit(app.conf.broker_url).scheme in ("amqp", "amqps"):
            self.Mailbox = OwnQueues
        super().__init__(app)
