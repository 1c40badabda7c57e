"""Bells as messages: those from outside, read strictly, and local ones, for claims that no bell caused.

All that is taken from a bell is the name of a queue.

Celery would carry out whatever else a message of the task's name holds (callbacks, a time to start, limits), and loses
a thread's place over some that are broken. So no message from outside reaches it: a bell becomes a local request.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.message import Message
from kombu.serialization import dumps

from hysds.celery import RUN_JOB


class NoBell(ValueError):
    """The message has the task's name, but is no bell."""


def is_for_us(message: Any) -> bool:
    """Whether the message names our task; what does not is another application's, and Celery says so."""
    return bool(message.headers.get("task") == RUN_JOB)


def queue_of(message: Any) -> str:
    """The queue that the bell names.

    Raises: NoBell, and whatever kombu raises for a body that it does not read.
    """
    match message.payload:
        case [[str() as queue], dict() as named, *_] if not named:
            return queue
    raise NoBell("a bell has one argument, the queue")


def has_expired(message: Any, now: datetime) -> bool:
    """Whether nobody heard the bell in time. `now` is aware. Raises: NoBell"""
    expires = message.headers.get("expires")
    if expires is None:
        return False
    try:
        moment = datetime.fromisoformat(expires)
    except (TypeError, ValueError) as error:
        raise NoBell(f"its expiry is no time: {expires!r}") from error
    return now > (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def local_bell(app: Celery, queue: str, name: str = RUN_JOB) -> Message:
    """A bell that no broker has seen: without a channel, so there is nothing to acknowledge."""
    task = app.amqp.as_task_v2(str(uuid4()), name, args=(queue,), ignore_result=True)
    content_type, content_encoding, body = dumps(task.body, "json")  # type: ignore[no-untyped-call]
    return Message(  # type: ignore[no-untyped-call]
        body=body,
        content_type=content_type,
        content_encoding=content_encoding,
        headers=task.headers,
        properties=dict(task.properties),
        delivery_info={"exchange": "", "routing_key": queue, "redelivered": False},
        accept={"application/json"},
    )
