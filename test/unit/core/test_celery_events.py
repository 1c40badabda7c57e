"""Celery's events as happenings: the same for whoever hears them, and without what tasks were called with."""

from __future__ import annotations

import math

import pytest

from hysds.core import celery_events
from hysds.core.happenings import EVENT, document

_ALL = frozenset(celery_events.KINDS)
_FAILED = {
    "type": "task-failed",
    "hostname": "celery@w1",
    "uuid": "7f3",
    "pid": 12,
    "clock": 99,
    "timestamp": 1_790_000_000.5,
    "utcoffset": 0,
    "exception": "ValueError('x')",
    "traceback": "T" * 20_000,
}


def _heard(event: object, heard_ms: int = 5_000) -> dict[str, object]:
    told = celery_events.happening(event, heard_ms, _ALL)
    assert told is not None
    return document(told)


def test_an_event_becomes_a_document_with_hysds_names() -> None:
    """Its type under `celery.`, its own as status, when it happened by its sender's clock, the whole under `event`."""
    told = _heard(_FAILED)

    assert told["resource"] == EVENT
    assert (told["type"], told["status"], told["hostname"]) == (
        "celery.task-failed",
        "task-failed",
        "celery@w1",
    )
    assert (told["revision"], told["timestamp"]) == (1_790_000_000_500, "2026-09-21T14:13:20.500Z")
    assert told["event"]["uuid"] == "7f3"  # type: ignore[index]
    assert len(told["event"]["traceback"]) < 9_000  # type: ignore[index]


def test_the_same_event_heard_twice_is_one_document() -> None:
    """Two listeners, at different times; another event of the same task is another."""
    first, second = _heard(_FAILED, 1), _heard(_FAILED, 2)

    assert (first["id"], first["revision"]) == (second["id"], second["revision"])
    assert _heard(_FAILED | {"clock": 100})["id"] != first["id"]
    assert _heard(_FAILED | {"hostname": "celery@w2"})["id"] != first["id"]


def test_what_a_task_was_called_with_is_left_out() -> None:
    """It may be a job spec with a secret in it; of a job's own task the job's id is kept."""
    called = _FAILED | {"type": "task-received", "args": "({'env': {'KEY': 's3cret'}},)", "kwargs": "s3cret"}
    assert "s3cret" not in str(_heard(called | {"name": "submit_job"}))
    assert "s3cret" not in str(_heard(called | {"name": "hysds.job_worker.run_job", "result": "s3cret"}))

    job = _heard(called | {"name": "hysds.job_worker.run_job", "args": "('0190-ab',)"})
    assert job["event"]["job_id"] == "0190-ab"  # type: ignore[index]
    assert "job_id" not in _heard(called | {"name": ["run_job"]})["event"]  # type: ignore[operator]
    assert "job_id" not in _heard(called | {"name": "other", "args": "('0190-ab',)"})["event"]  # type: ignore[operator]


@pytest.mark.parametrize("timestamp", [None, "now", math.nan, math.inf, -1, 0, 1e300, True, [1]])
def test_an_event_without_a_time_counts_as_of_when_it_was_heard(timestamp: object) -> None:
    """Whatever a foreign program writes there."""
    told = _heard(_FAILED | {"timestamp": timestamp})

    assert told["revision"] in (5_000, 1_000)


@pytest.mark.parametrize(
    "event",
    [
        None,
        7,
        "task-failed",
        [],
        {},
        {"type": "task-failed"},
        {"type": ["task-failed"], "hostname": "x"},
        {"type": {}, "hostname": "x"},
        {"type": "worker-heartbeat", "hostname": "x"},
        {"type": "task-failed", "hostname": 7},
    ],
)
def test_what_is_no_event_is_passed_over(event: object) -> None:
    """Anybody may write to the broker."""
    assert celery_events.happening(event, 1, _ALL) is None


def test_only_the_kinds_that_are_asked_for_are_told() -> None:
    """As the settings name them."""
    assert celery_events.happening(_FAILED, 1, frozenset({"worker-online"})) is None
