"""How the document of a live job ends that no ledger knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hysds.core import ghosts, moments, repetition
from hysds.core.document import document
from hysds.core.record import Record
from hysds.core.repetition import Changes
from hysds.core.status import Status

_REVISION = 1_767_225_600_000_000
_WRITTEN_MS = _REVISION // 1000
_NOW_MS = _WRITTEN_MS + 3_600_000
_SPEC = '{"job_type":"job:x","payload":{"_command":"true"},"job_queue":"gpu"}'
_RECORD = Record(
    "00000000-0000-4000-8000-000000000001",
    Status.STARTED,
    _REVISION,
    "d",
    "gpu",
    "1s",
    5,
    fence=7,
    owner="w@host/1",
    phase="command",
    progress="0.5 half",
    accepted_ms=_WRITTEN_MS,
    started_ms=_WRITTEN_MS,
)


def _shown(**changes: Any) -> dict[str, Any]:
    return document(replace(_RECORD, **changes), _SPEC)


def test_a_running_job_ends_as_failed_and_says_why() -> None:
    """Of class `internal`, at the time when it was found, one revision on; its attempt is closed, what is said of
    live jobs alone is gone, all else stays.
    """
    live = _shown()

    end = ghosts.ended(live, _NOW_MS)

    assert (end["status"], end["failure_class"], end["revision"]) == ("job-failed", "internal", _REVISION + 1)
    assert end["error"] == ghosts.ERROR
    assert _RECORD.id in end["hint"]
    assert end["@timestamp"] == end["job"]["job_info"]["time_end"] == moments.iso(_NOW_MS)
    [attempt] = end["attempts"]
    assert attempt["how"] == attempt["failure"] == "internal"
    assert (attempt["ended"], attempt["phase"]) == (moments.iso(_NOW_MS), "command")
    assert not {"phase", "progress"} & set(end)
    same = set(live) - {"status", "revision", "@timestamp", "job", "attempts", "phase", "progress"}
    assert {name: end[name] for name in same} == {name: live[name] for name in same}
    assert live == _shown()


def test_a_job_whose_cancel_was_asked_for_ends_revoked() -> None:
    """As every way out of *started* but completion does; its error says why all the same."""
    end = ghosts.ended(_shown(cancel=True), _NOW_MS)

    assert (end["status"], end["failure_class"], end["error"]) == ("job-revoked", "cancelled", ghosts.ERROR)
    assert end["attempts"][-1]["how"] == "job-revoked"
    assert "cancel_requested" not in end


@pytest.mark.parametrize("status", [Status.QUEUED, Status.WAITING])
def test_a_job_that_had_not_begun_has_no_attempt(status: Status) -> None:
    """Nor a reason to wait, nor an end of its time to wait."""
    live = _shown(
        status=status, reason="time", wake_ms=_NOW_MS, ttl_ms=_NOW_MS, fence=0, owner="", started_ms=0
    )

    end = ghosts.ended(live, _NOW_MS)

    assert (end["status"], end["attempts"]) == ("job-failed", [])
    assert not {"waiting_reason", "not_before", "ttl_end"} & set(end)


def test_the_ended_job_can_be_done_again_from_its_document() -> None:
    """What a live document refuses."""
    spec = repetition.of_document(ghosts.ended(_shown(), _NOW_MS), Changes())

    assert (spec.job_type, spec.job_queue, spec.payload) == ("job:x", "gpu", {"_command": "true"})


def test_a_job_whose_last_document_could_not_be_written_is_not_said_to_be_lost() -> None:
    """The ledger knew its end, and has forgotten it since."""
    end = ghosts.ended(_shown(), _NOW_MS, "ValueError: no JSON")

    assert end["error"].startswith("how it ended is not known")
    assert "ValueError: no JSON" in end["error"]
    assert not ghosts.was(end)


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        (_WRITTEN_MS, False),
        (_WRITTEN_MS + ghosts.GRACE_MS - 1, False),
        (_WRITTEN_MS + ghosts.GRACE_MS, True),
        (_WRITTEN_MS - ghosts.GRACE_MS + 1, False),
        (_WRITTEN_MS - 1_800_000, True),
    ],
)
def test_what_was_written_just_now_is_left_alone(now_ms: int, expected: bool) -> None:
    """And what a clock that was far ahead has written is not."""
    assert ghosts.may_be(_shown(), now_ms) is expected


@pytest.mark.parametrize("status", list(Status))
def test_only_what_has_not_ended_may_be_one(status: Status) -> None:
    """Shown as offline or not."""
    assert ghosts.may_be({**_shown(), "status": status.value}, _NOW_MS) is not status.is_terminal
    assert ghosts.may_be(_shown(suspect=True), _NOW_MS)


def test_a_document_of_another_form_ends_all_the_same() -> None:
    """Whoever wrote it: one odd document must not keep the others from their ends."""
    odd = {"id": "a", "revision": 1, "status": "job-started", "job": "none", "attempts": [3], "@timestamp": 5}

    assert ghosts.may_be(odd, _NOW_MS)
    end = ghosts.ended(odd, _NOW_MS)

    assert (end["status"], end["revision"], end["job"], end["attempts"]) == ("job-failed", 2, "none", [3])
    assert ghosts.was(end)
    assert not ghosts.was(odd)
