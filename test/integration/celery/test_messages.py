"""What else may lie in a queue: no message ends, blocks or deceives a worker."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection
from redis import Redis

from hysds.celery import RUN_JOB

EMBED: dict[str, object] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def header(**more: object) -> dict[str, object]:
    """What Celery writes above a bell; each has an id of its own, as an expired one revokes its id."""
    return {"lang": "py", "task": RUN_JOB, "id": uuid4().hex, "argsrepr": "", **more}


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in header().items() if name not in names}


def good_body(queue: str) -> list[object]:
    return [[queue], {}, EMBED]


BROKEN: dict[str, Callable[[str], tuple[dict[str, object], object]]] = {
    "no headers": lambda queue: ({}, good_body(queue)),
    "an unknown task": lambda queue: (header(task="their.task"), good_body(queue)),
    "a task of Celery's own": lambda queue: (header(task="celery.backend_cleanup"), [[], {}, EMBED]),
    "no id": lambda queue: (without("id"), good_body(queue)),
    "a task that is no text": lambda queue: (header(task=["x"]), good_body(queue)),
    "an id that is no text": lambda queue: (header(id={"a": 1}), good_body(queue)),
    "a body of two parts": lambda queue: (header(), [[queue], {}]),
    "a body that is a number": lambda queue: (header(), 7),
    "a body that is a text": lambda queue: (header(), "args"),
    "a body that is null": lambda queue: (header(), None),
    "no argument": lambda queue: (header(), [[], {}, EMBED]),
    "too many arguments": lambda queue: (header(), [[queue, queue], {}, EMBED]),
    "an unknown named argument": lambda queue: (header(), [[queue], {"job": 1}, EMBED]),
    "a queue that is an object": lambda queue: (header(), [[{"queue": queue}], {}, EMBED]),
    "another queue": lambda queue: (header(), [["elsewhere"], {}, EMBED]),
    "an embed that is a number": lambda queue: (header(), [[queue], {}, 7]),
    "an eta that is none": lambda queue: (header(eta="soon"), good_body(queue)),
    "an expiry that is none": lambda queue: (header(expires="never"), good_body(queue)),
    "an expiry that has passed": lambda queue: (
        header(expires=(datetime.now(UTC) - timedelta(hours=1)).isoformat()),
        good_body(queue),
    ),
    "time limits that are text": lambda queue: (header(timelimit="long"), good_body(queue)),
    "a header that pretends to be the request": lambda queue: (header(bell="x"), [["elsewhere"], {}, EMBED]),
    "protocol 1": lambda queue: ({}, {"task": "their.task", "id": "x", "args": [], "kwargs": {}}),
    "protocol 1 without an id": lambda queue: ({}, {"task": RUN_JOB, "args": [queue]}),
}


@pytest.fixture
def post(stage) -> Callable[..., None]:
    """Put any message into the stage's queue."""

    def put(body: object, **options: Any) -> None:
        with Connection(stage.url) as connection, connection.Producer(auto_declare=False) as producer:
            producer.publish(body, exchange="", routing_key=stage.queue, **options)

    return put


def test_no_broken_message_ends_or_blocks_a_worker(stage, post) -> None:
    """Each is logged and gone; after all of them the worker runs two jobs at once."""
    worker = stage.worker("one")
    for headers, body in (make(stage.queue) for make in BROKEN.values()):
        post(json.dumps(body), headers=headers, content_type="application/json", content_encoding="utf-8")
    post(
        b"\x80\x04.",
        content_type="application/x-python-serialize",
        content_encoding="binary",
        headers=header(),
    )
    post(b"{not json", content_type="application/json", content_encoding="utf-8", headers=header())
    post(b"\xff\xfe", content_type="application/json", content_encoding="utf-8", headers=header())
    post("[" * 100_000, content_type="application/json", content_encoding="utf-8", headers=header())
    post("text", content_type="text/plain", content_encoding="utf-8")
    stage.director.offer("a", "b")
    stage.bell.ring(stage.queue, 2)

    stage.director.wait("one", "running", "a")
    stage.director.wait("one", "running", "b")
    assert "b" in stage.active("one")
    assert "elsewhere" in worker.log
    assert "Unrecoverable" not in worker.log
    assert {event[2] for event in stage.director.events if event[1] == "heard"} == {stage.queue}


def test_a_bell_delivered_twice_under_one_id_is_two_bells(stage, post) -> None:
    """Two messages of one id run two jobs, and each is shown with its own job's id."""
    stage.worker("one")
    stage.director.offer("a", "b")
    for _ in range(2):
        post(
            json.dumps(good_body(stage.queue)),
            headers=header(id="one-id"),
            content_type="application/json",
            content_encoding="utf-8",
        )

    stage.director.wait("one", "running", "a")
    stage.director.wait("one", "running", "b")
    assert stage.active("one") == ["a", "b"]


RAW = [
    b"garbage",
    b"\xff\xfe",
    b"",
    b"5",
    b"null",
    b"[]",
    b"{}",
    b'{"body": 1}',
    b'{"body": "x", "properties": 3}',
]


def test_what_is_no_message_at_all_ends_no_worker(stages, valkey_server) -> None:
    """Anybody who reaches the server can push onto a list: the worker goes on, and hears the next bell."""
    stage = stages(valkey_server.url)
    stage.worker("w")
    with Redis.from_url(valkey_server.url) as redis:
        for item in RAW:
            redis.lpush(stage.queue, item)
    stage.director.offer("after")

    stage.bell.ring(stage.queue, 1)

    stage.director.wait("w", "running", "after")
    stage.director.end("after")
    stage.director.wait("w", "ended", "after")
