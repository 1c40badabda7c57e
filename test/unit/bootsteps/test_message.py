"""What is taken from a bell's message, and what is no bell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from kombu.exceptions import ContentDisallowed, DecodeError
from kombu.message import Message

from hysds.adapters.bell.celery import TASK
from hysds.bootsteps.message import NoBell, has_expired, is_for_us, local_bell, queue_of
from hysds.celery import RUN_JOB, JobApp
from hysds.settings.model import Settings

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def message(body: object, **headers: object) -> Message:
    return Message(
        body=json.dumps(body),
        content_type="application/json",
        content_encoding="utf-8",
        headers={"task": RUN_JOB, **headers},
        accept={"application/json"},
    )


def test_sender_and_worker_mean_the_same_task() -> None:
    """They share no code, so the name stands in two places."""
    assert TASK == RUN_JOB


def test_a_bell_names_its_queue_and_nothing_else_of_it_is_read() -> None:
    """Callbacks and whatever else Celery would carry out are passed by."""
    assert queue_of(message([["gpu"], {}, {"callbacks": [{"task": "theirs"}], "chain": 7}])) == "gpu"
    assert queue_of(message([["gpu"], {}])) == "gpu"


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        "args",
        [],
        {},
        [["gpu"]],
        [[], {}],
        [["gpu", "cpu"], {}],
        [["gpu"], {"job": 1}],
        [[7], {}],
        ["gpu", {}],
    ],
)
def test_a_body_of_another_shape_is_no_bell(body: object) -> None:
    """One argument, a text, and nothing named."""
    with pytest.raises(NoBell):
        queue_of(message(body))


def test_a_body_that_is_not_json_is_not_read() -> None:
    """Neither a broken one nor one in a format that could run code."""
    broken = Message(body="{", content_type="application/json", content_encoding="utf-8")
    pickled = Message(
        body=b"\x80\x04.", content_type="application/x-python-serialize", content_encoding="binary"
    )

    with pytest.raises(DecodeError):
        queue_of(broken)
    with pytest.raises(ContentDisallowed):
        queue_of(pickled)


def test_only_messages_that_name_the_task_are_for_us() -> None:
    """Without headers, or with a name that is no text, it is another application's."""
    assert is_for_us(message([]))
    assert not is_for_us(message([], task="their.task"))
    assert not is_for_us(message([], task=["x"]))
    assert not is_for_us(Message(body="{}"))


def test_a_bell_expires_at_its_moment_in_any_zone() -> None:
    """A moment without a zone is in UTC; a bell without one is always heard."""
    second = timedelta(seconds=1)

    assert has_expired(message([], expires=(NOW - second).isoformat()), NOW)
    assert not has_expired(message([], expires=(NOW + second).isoformat()), NOW)
    assert has_expired(message([], expires=(NOW - second).replace(tzinfo=None).isoformat()), NOW)
    assert not has_expired(message([], expires="2030-01-01T00:00:01-01:00"), NOW)
    assert not has_expired(message([]), NOW)


@pytest.mark.parametrize("expires", ["never", 7, ["x"]])
def test_an_expiry_that_is_no_time_is_no_bells(expires: object) -> None:
    """Such a message was not sent by us."""
    with pytest.raises(NoBell):
        has_expired(message([], expires=expires), NOW)


def test_a_local_bell_is_a_bell_of_its_queue_with_an_id_of_its_own() -> None:
    """It reads as one that came from a broker, and no two are one."""
    app = JobApp(lambda: SimpleNamespace(settings=Settings(home=Path("/nonexistent"))))
    first, second = local_bell(app, "gpu"), local_bell(app, "gpu")

    assert queue_of(first) == "gpu"
    assert is_for_us(first)
    assert first.channel is None
    assert first.headers["id"] != second.headers["id"]
