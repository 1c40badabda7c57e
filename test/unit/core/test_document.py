"""The job document: HySDS's field names, ours, and their bounds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hysds.core import clip
from hysds.core.document import document
from hysds.core.record import Attempt, Record
from hysds.core.searched import searched
from hysds.core.status import Status

_T0 = 1_767_225_600_000
_ID = "01930f5e-7b1c-7000-8000-0123456789ab"
_QUEUED = Record(
    id=_ID, status=Status.QUEUED, revision=_T0 * 1000 + 7, digest="d", queue="gpu", shape="1s", priority=3,
    accepted_ms=_T0, ready_ms=_T0, dedup="ab" * 32,
)  # fmt: skip
_STARTED = replace(
    _QUEUED, status=Status.STARTED, fence=41, owner="job@gpu-7/1:9", claims=1, started_ms=_T0 + 1500,
    phase="execute", progress="0.5 half",
)  # fmt: skip
_COMPLETED = replace(
    _STARTED, status=Status.COMPLETED, owner="", phase="", progress="", ended_ms=_T0 + 4000, committed=41
)
_FAILED = replace(_COMPLETED, status=Status.FAILED, reason="user")
_SPEC = {
    "job_type": "job:count",
    "payload": {"_command": "./count.sh", "n": 3},
    "tag": "nightly",
    "username": "ada",
    "env": {"B_TOKEN": "hidden", "A": "1"},
    "context": {"k": "v"},
    "time_limit": 60.0,
    "resources": {"slots": 2},
}
_SAID: dict[str, Any] = {
    "exit_code": 0,
    "pid": 77,
    "phases": [{"name": "prepare", "start": _T0 / 1000 + 1.5, "end": _T0 / 1000 + 1.75}],
    "job_dir": "/work/jobs/x",
    "job_url": "http://h/x",
    "execute_node": "gpu-7.lan",
    "cmd_start": _T0 / 1000 + 2,
    "cmd_end": _T0 / 1000 + 3.5,
    "metrics": {"usage_stats": [{"cpu": 1}], "job_dir_size": 5},
    "facts": {"os": "linux"},
    "msg": ["done", "x" * 40],
    "msg_details": "all of it",
    "usage": {"cpu_s": 1.5, "max_rss_bytes": 1000},
}


def _attempt(how: str, said: dict[str, Any], fence: int = 41) -> Attempt:
    return Attempt(fence, "job@gpu-7/1:9", _T0 + 1500, _T0 + 4000, how, json.dumps(said) if said else "")


def _lost(owner: str) -> Attempt:
    return replace(_attempt("worker-lost", {}), owner=owner)


def _failed(said: dict[str, Any], reason: str = "user") -> dict[str, Any]:
    return document(replace(_FAILED, reason=reason), json.dumps(_SPEC), (_attempt(reason, said),))


def test_a_queued_job_shows_what_was_asked() -> None:
    """All of HySDS's identities are the one id; what has no value yet has no field."""
    shown = document(_QUEUED, json.dumps(_SPEC))

    assert shown == {
        "id": _ID, "_id": _ID, "uuid": _ID, "job_id": _ID, "payload_id": _ID,
        "resource": "job", "type": "job:count", "payload_hash": "ab" * 32, "dedup": True, "queue": "gpu",
        "revision": _T0 * 1000 + 7, "generation": 1, "status": "job-queued", "tags": ["nightly"],
        "@version": "1", "@timestamp": "2026-01-01T00:00:00.000Z", "attempts": [],
        "job": {
            "type": "job:count", "name": "job__count", "job_id": _ID, "task_id": _ID, "priority": 3,
            "tag": "nightly", "username": "ada", "params": _SPEC["payload"], "context": {"k": "v"},
            "env": ["A", "B_TOKEN"], "resources": {"slots": 2},
            "job_info": {
                "id": _ID, "job_queue": "gpu", "time_queued": "2026-01-01T00:00:00.000Z", "time_limit": 60.0,
                "payload_hash": "ab" * 32, "dedup": True,
                "job_payload": {"job_type": "job:count", "payload_task_id": _ID},
            },
        },
    }  # fmt: skip


def test_a_started_job_shows_who_runs_it_and_how_far_it_is() -> None:
    """From the record alone, while the worker has told nothing yet."""
    shown = document(_STARTED, json.dumps(_SPEC))

    assert (shown["status"], shown["celery_hostname"], shown["fence"]) == ("job-started", "job@gpu-7", 41)
    assert (shown["phase"], shown["progress"]) == ("execute", "0.5 half")
    assert shown["job"]["job_info"]["execute_node"] == "gpu-7"
    assert shown["job"]["job_info"]["time_start"] == "2026-01-01T00:00:01.500Z"
    assert shown["job"]["delivery_info"] == {"routing_key": "gpu", "priority": 3, "redelivered": False}
    assert shown["attempts"] == [
        {"attempt": 1, "fence": 41, "worker": "job@gpu-7/1:9", "started": "2026-01-01T00:00:01.500Z"}
    ]


def test_a_silent_worker_shows_its_jobs_offline() -> None:
    """`job-offline` is a way to show a started job."""
    assert document(replace(_STARTED, suspect=True), json.dumps(_SPEC))["status"] == "job-offline"


def test_a_completed_job_shows_its_run() -> None:
    """Times, node, metrics and phases come from the last attempt's detail."""
    shown = document(_COMPLETED, json.dumps(_SPEC), (_attempt("job-completed", _SAID),))
    info = shown["job"]["job_info"]

    assert (info["time_end"], info["duration"]) == ("2026-01-01T00:00:04.000Z", 2.5)
    assert (info["cmd_start"], info["cmd_duration"]) == ("2026-01-01T00:00:02.000Z", 1.5)
    assert (info["status"], info["pid"], info["job_dir"], info["job_url"]) == (
        0,
        77,
        "/work/jobs/x",
        "http://h/x",
    )
    assert (info["execute_node"], info["facts"]) == ("gpu-7.lan", {"os": "linux"})
    assert info["metrics"] == {
        "inputs_localized": [], "products_staged": [], "product_provenance": {},
        "usage_stats": [{"cpu": 1}], "job_dir_size": 5,
    }  # fmt: skip
    assert shown["phase_times"] == {"prepare": 0.25}
    assert shown["msg"] == ["done", "x" * 20 + "....." + "x" * 10]
    assert shown["msg_details"] == "all of it"
    assert shown["usage"] == {"cpu_s": 1.5, "max_rss_bytes": 1000}
    assert "error" not in shown
    assert "failure_class" not in shown
    assert shown["attempts"][0]["how"] == "job-completed"
    assert shown["attempts"][0]["exit_code"] == 0


def test_a_failed_job_says_why() -> None:
    """Class, error, short error of at most 35 characters, traceback, hint and signal."""
    said = {
        "error": "exit code 3: the disk of the scene is missing",
        "traceback": "T",
        "hint": "H",
        "signum": 9,
    }
    shown = _failed(said)

    assert shown["failure_class"] == "user"
    assert shown["error"] == said["error"]
    assert shown["short_error"] == "exit code 3: the dis.....is missing"
    assert (shown["traceback"], shown["hint"], shown["signum"]) == ("T", "H", 9)
    assert shown["attempts"][0]["failure"] == "user"


def test_a_failure_that_no_worker_described_still_has_an_error() -> None:
    """A lost worker can't say that it was lost."""
    shown = document(
        replace(_FAILED, reason="worker-lost"), json.dumps(_SPEC), (_attempt("worker-lost", {}),)
    )

    assert shown["error"] == "the worker that ran it was lost: job@gpu-7"
    assert len(shown["short_error"]) == 35
    given_back = document(replace(_FAILED, reason="preempted"), "{}", (_attempt("released", {}),))
    assert given_back["error"] == "the job was given back more often than its retry policy allows"


def test_a_job_that_took_its_workers_with_it_says_how_many_and_which() -> None:
    """Poison: whoever reads it must look at the job, not at the last worker alone. Other failures don't count."""
    attempts = (
        *(_lost(owner) for owner in ("job@a/1", "job@b/2", "job@a/3")),
        _attempt("data", {"error": "E"}),
        replace(_attempt("worker-lost", {"error": "gave no sign of life", "hint": "H"}), owner="job@c/4"),
    )
    shown = document(replace(_FAILED, reason="worker-lost"), json.dumps(_SPEC), attempts)

    assert shown["error"] == (
        "4 workers were lost while they ran it: job@a (2 times), job@b, job@c; of the last: gave no sign of life"
    )
    assert shown["lost_workers"] == ["job@a", "job@b", "job@c"]
    assert "resources.memory" in shown["hint"]
    assert "lost_workers" not in document(_FAILED, json.dumps(_SPEC), (*attempts, _attempt("user", {})))


def test_a_job_that_took_very_many_workers_with_it_names_some() -> None:
    """The rest is a number."""
    attempts = tuple(_lost(f"job@{number}/x") for number in range(14))
    shown = document(replace(_FAILED, reason="worker-lost"), json.dumps(_SPEC), attempts)

    assert shown["error"].startswith("14 workers were lost while they ran it: job@0, ")
    assert shown["error"].endswith(", job@9, 4 others")
    assert len(shown["lost_workers"]) == 10


def test_each_attempt_keeps_the_end_of_its_output() -> None:
    """Both streams, the last of each; one that wrote nothing has none."""
    said = {"stdout_tail": "x" * 50 + "o" * 2_000, "stderr_tail": "half \ud800", "memory_bytes": 1 << 30}
    attempts = (
        _attempt("oom", said),
        _attempt("user", {"exit_code": 3, "stderr_tail": "", "stdout_tail": 5}),
    )
    first, second = document(_FAILED, json.dumps(_SPEC), attempts)["attempts"]

    assert first["output_tail"] == {"stdout": "o" * 2_000, "stderr": "half ?"}
    assert (first["memory_bytes"], second["exit_code"]) == (1 << 30, 3)
    assert "output_tail" not in second


def test_many_large_attempts_leave_the_document_bounded() -> None:
    """The newest are whole; of the older ones remain who, when, how and with which exit code."""
    said = {"notes": ["n" * 7_000] * 10, "exit_code": 7, "error": "E", "stdout_tail": "t"}
    shown = document(_FAILED, json.dumps(_SPEC), tuple(_attempt("user", said, 41 + n) for n in range(30)))
    first, last = shown["attempts"][0], shown["attempts"][-1]

    assert len(json.dumps(shown)) < 600_000
    assert len(shown["attempts"]) == 30
    assert (last["output_tail"], len(last["notes"])) == ({"stdout": "t"}, 10)
    assert (first["worker"], first["failure"], first["exit_code"]) == ("job@gpu-7/1:9", "user", 7)
    assert first["notes"] == ["the rest is left out: too much for a document"]
    assert "output_tail" not in first


def test_a_job_and_its_retry_name_each_other() -> None:
    """Both documents are found from either."""
    assert document(replace(_FAILED, retried_by="new"), json.dumps(_SPEC))["retried_by"] == "new"
    assert document(replace(_QUEUED, retry_of="old"), json.dumps(_SPEC))["retry_of"] == "old"


def test_a_job_shows_its_retry_policy_and_what_memory_it_has_reached() -> None:
    """As it was asked for; the limit only where it is no longer the one that was asked for."""
    retry = {"on_exit_codes": {"75": {"attempts": 5}}, "oom": {"attempts": 3, "cap": 1 << 32}}
    spec = json.dumps({**_SPEC, "retry": retry})

    assert document(_QUEUED, spec)["job"]["retry"] == retry
    assert "memory_bytes" not in document(_QUEUED, spec)
    assert document(replace(_QUEUED, memory_bytes=1 << 31), spec)["memory_bytes"] == 1 << 31


def test_a_job_that_is_tried_again_tells_the_failure_in_its_attempt_alone() -> None:
    """The top level is of the job, which has not failed."""
    again = replace(_QUEUED, status=Status.WAITING, reason="time", wake_ms=_T0 + 9000, claims=1, fence=41)
    shown = document(again, json.dumps(_SPEC), (_attempt("user", {"error": "E", "exit_code": 2}),))

    assert "error" not in shown
    assert (shown["waiting_reason"], shown["not_before"]) == ("time", "2026-01-01T00:00:09.000Z")
    assert shown["attempts"][0]["error"] == "E"
    assert "time_start" not in shown["job"]["job_info"]
    assert "status" not in shown["job"]["job_info"]


def test_a_running_second_attempt_follows_the_ended_first() -> None:
    """Numbered in order; the running one has no end."""
    second = replace(_STARTED, fence=42, claims=2)
    shown = document(second, json.dumps(_SPEC), (_attempt("worker-lost", {}),))

    assert [(entry["attempt"], "ended" in entry) for entry in shown["attempts"]] == [(1, True), (2, False)]
    assert shown["job"]["delivery_info"]["redelivered"] is True


def test_a_revoked_job_is_of_the_class_cancelled() -> None:
    """So that one search finds them."""
    shown = document(
        replace(_COMPLETED, status=Status.REVOKED, reason="cancelled", cancel=True), json.dumps(_SPEC)
    )

    assert (shown["status"], shown["failure_class"]) == ("job-revoked", "cancelled")
    assert "cancel_requested" not in shown
    assert document(replace(_STARTED, cancel=True), json.dumps(_SPEC))["cancel_requested"] is True


def test_a_duplicate_names_the_job_that_stands_for_it() -> None:
    """HySDS's dedup_job and dedup_msg."""
    twin = replace(
        _QUEUED, status=Status.DEDUPED, dedup_job="other", dedup_status="job-started", ended_ms=_T0
    )
    shown = document(twin, json.dumps(_SPEC))

    assert shown["dedup_job"] == "other"
    assert shown["dedup_msg"] == "duplicate of job other, which was job-started"


@pytest.mark.parametrize("spec", ["{}", "not JSON", "[1]", '{"job_type": 5, "payload": [], "tag": {}}'])
def test_a_refused_submission_has_a_document_whatever_it_was(spec: str) -> None:
    """The refusal's error is its own; of the spec what can be shown."""
    refused = replace(_QUEUED, status=Status.FAILED, reason="invalid", ended_ms=_T0)
    shown = document(refused, spec, error='{"error": "$.job_type: missing", "complaints": []}')

    assert (shown["error"], shown["failure_class"]) == ("$.job_type: missing", "invalid")
    assert shown["job"]["params"] == {}


@pytest.mark.parametrize(
    ("spec", "detail", "error"),
    [("not JSON", "", ""), ("[]", "", ""), ("{}", "[]", ""), ("{}", "{", ""), ("{}", "", "x")],
)
def test_what_can_not_be_built_is_an_error_and_no_half_document(spec: str, detail: str, error: str) -> None:
    """The indexer sets such a job aside with the reason."""
    attempts = (replace(_attempt("user", {}), detail=detail),) if detail else ()

    with pytest.raises(ValueError, match=r"JSON|Expecting"):
        document(_FAILED, spec, attempts, error)


def test_long_texts_are_cut_with_a_note() -> None:
    """The document says that there was more, and how much."""
    shown = _failed({"error": "e" * 10_000, "traceback": "t" * 100_000})

    note = "… [2000 characters left out; the job's files have the whole]"
    assert shown["error"] == "e" * clip.MAX_ERROR + note
    assert shown["traceback"].endswith("[36000 characters left out; the job's files have the whole]")


def test_parts_that_a_job_made_too_large_are_replaced_by_a_note() -> None:
    """Metrics come from the job's own files and may hold anything."""
    shown = _failed({"metrics": {"x": "y" * 300_000}})

    assert list(shown["job"]["job_info"]["metrics"]) == ["note"]
    assert len(json.dumps(shown)) < 10_000


def test_values_that_no_store_holds_are_made_sound() -> None:
    """nan, numbers beyond 64 bits, half characters and bottomless nesting, from a job's own files."""
    deep: Any = "bottom"
    for _ in range(40):
        deep = [deep]
    shown = _failed({"error": "a\ud800", "metrics": {"big": 2**70, "nan": float("nan"), "deep": deep}})

    metrics = shown["job"]["job_info"]["metrics"]
    assert (metrics["big"], metrics["nan"], shown["error"]) == (-1, None, "a?")
    assert "[nested too deeply]" in json.dumps(metrics)
    json.dumps(shown, allow_nan=False).encode()


@pytest.mark.parametrize(
    "said",
    [
        dict.fromkeys(_SAID, "text"),
        dict.fromkeys(_SAID, 5),
        dict.fromkeys(_SAID, None),
        {"phases": [1, {"name": 5}, {"name": "x", "start": "y", "end": 1}], "msg": [1, None]},
        {"exit_code": True, "cmd_start": float("inf"), "error": ["x"]},
    ],
    ids=["texts", "numbers", "nulls", "odd lists", "odd values"],
)
def test_a_detail_of_the_wrong_types_is_passed_over(said: dict[str, Any]) -> None:
    """What is not what it should be is left out; the document is made."""
    shown = _failed(said)

    json.dumps(shown, allow_nan=False)
    assert "phase_times" not in shown
    assert isinstance(shown.get("error", ""), str)


def test_only_the_newest_attempts_are_listed_with_their_numbers() -> None:
    """A job that is preempted without end must not grow a document without end."""
    attempts = tuple(_attempt("released", {}, fence) for fence in range(120))
    shown = document(_COMPLETED, json.dumps(_SPEC), attempts)

    assert [entry["attempt"] for entry in shown["attempts"]] == list(range(71, 121))


def test_half_characters_in_a_spec_become_question_marks() -> None:
    """A store that speaks UTF-8 could not hold them."""
    shown = document(_QUEUED, json.dumps({"job_type": "x", "payload": {"a": "\ud800"}}))

    assert shown["job"]["params"] == {"a": "?"}


def test_the_document_is_found_by_what_it_shows() -> None:
    """Every searched value of a real document lies where the table of paths says."""
    found = searched(_failed({"error": "Out of scenes"}))

    assert (found.status, found.type, found.queue) == ("job-failed", "job:count", "gpu")
    assert (found.tag, found.user, found.worker) == ("nightly", "ada", "job@gpu-7")
    assert (found.failure_class, found.name, found.priority) == ("user", "job__count", 3)
    assert (found.accepted, found.started, found.ended) == (_T0, _T0 + 1500, _T0 + 4000)
    assert (found.updated, found.duration) == (_T0, 2500)
    assert {"out", "scenes", "nightly", "ada", "count", "sh"} <= set(found.words)
