"""Local requests: a claim that no bell caused enters Celery all the same, so it runs on the pool and is inspected."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.message import Message
from kombu.serialization import dumps

from hysds.celery import RUN_JOB


def admit(consumer: Any, queue: str) -> None:
    """Hand one request of `run_job(queue)` to the consumer, as if a bell had been heard. Any thread may."""
    strategy = consumer.strategies[RUN_JOB]
    strategy(_message(consumer.app, queue), None, _nothing, _nothing, consumer.on_task_message)


def _message(app: Celery, queue: str) -> Message:
    """A bell that no broker has seen: without a channel, so there is nothing to acknowledge."""
    task = app.amqp.as_task_v2(str(uuid4()), RUN_JOB, args=(queue,), ignore_result=True)
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


def _nothing(*_: object) -> None:
    """Acknowledge or reject what no broker waits for."""
