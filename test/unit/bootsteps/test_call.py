"""What is taken from a call over the broker, and what is refused of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kombu.message import Message

from hysds.bootsteps import call
from hysds.celery import RUN_TASK, SUBMIT_JOB
from hysds.core.errors import Refused
from hysds.core.task_event import WIRE_NAME
from hysds.sdk import tasks

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SPEC = {"job_type": "job:x"}


def message(body: object, task: str = SUBMIT_JOB, priority: int | None = None, **headers: Any) -> Message:
    properties = {"reply_to": "answers", "correlation_id": "a-correlation", "priority": priority}
    return Message(
        body=json.dumps(body),
        content_type="application/json",
        content_encoding="utf-8",
        headers={"task": task, "id": "an-id", **headers},
        properties=properties,
        accept={"application/json"},
    )


def test_sender_and_worker_mean_the_same_tasks() -> None:
    """They share no code, so each name stands in two places."""
    assert (tasks.SUBMIT_JOB, tasks.RUN_TASK, WIRE_NAME) == (SUBMIT_JOB, RUN_TASK, RUN_TASK)


@pytest.mark.parametrize(
    "body", [[[SPEC], {}], [[SPEC], {}, {"callbacks": None}], [[], {"j": SPEC}], [[], {"spec": SPEC}]]
)
def test_a_call_has_one_argument_by_place_or_by_name(body: object) -> None:
    """HySDS's own name for it is `j`."""
    asked = call.read(message(body, priority=4), NOW)

    assert asked is not None
    assert (asked.id, asked.task, asked.argument, asked.priority, asked.wants_result) == (
        "an-id",
        SUBMIT_JOB,
        SPEC,
        4,
        True,
    )
    assert (asked.request.reply_to, asked.request.correlation_id) == ("answers", "a-correlation")


@pytest.mark.parametrize(
    "body",
    [None, 7, [], {}, [[], {}], [[SPEC, SPEC], {}], [[SPEC], {"j": SPEC}], [[], {"other": SPEC}], [SPEC, {}]],
)
def test_another_form_of_argument_is_refused(body: object) -> None:
    """With what the task takes."""
    with pytest.raises(Refused, match="takes one argument, the job spec"):
        call.read(message(body), NOW)


@pytest.mark.parametrize("asked", ["callbacks", "errbacks", "chain", "chord"])
def test_what_celery_could_do_beside_is_refused(asked: str) -> None:
    """Nobody waits for a callback that never comes."""
    with pytest.raises(Refused, match=f"does not honour Celery's {asked}"):
        call.read(message([[SPEC], {}, {asked: [{"task": "theirs"}]}]), NOW)


def test_a_time_to_start_is_refused() -> None:
    """The spec has a field for that."""
    with pytest.raises(Refused, match="not_before"):
        call.read(message([[SPEC], {}], eta="2030-01-01T01:00:00+00:00"), NOW)


def test_a_call_that_expired_is_nobody_s() -> None:
    """Its sender said how long it counts."""
    late = (NOW - timedelta(seconds=1)).isoformat()

    assert call.read(message([[SPEC], {}], expires=late), NOW) is None


def test_a_sender_that_wants_no_result_says_so() -> None:
    """As Celery's `ignore_result` does."""
    asked = call.read(message([[SPEC], {}], ignore_result=True), NOW)

    assert asked is not None
    assert not asked.wants_result
