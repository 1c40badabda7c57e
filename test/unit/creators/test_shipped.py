"""What the creators that come with HySDS make, of HySDS's rules and of requests by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hysds.core.job_types.catalog import Creator
from hysds.core.job_types.job_description import Maker
from hysds.core.parse import parse_document
from hysds.core.spec import JobSpec
from hysds.creators import notices, passing, retries, scripts

RULE = {
    "rule_name": "failed tiles",
    "username": "ops",
    "kwargs": json.dumps({"email_addresses": "a@example.org, b@example.org", "url": "https://h.example/x"}),
}
HIT = {
    "_source": {
        "status": "job-failed",
        "type": "job:tile",
        "short_error": "exit code 3",
        "urls": ["https://data.example/1"],
        "job": {"name": "tile-7", "job_info": {"job_url": "https://w1.example/jobs/7"}},
    }
}
OF_JOB = {"job_id": "7f3", "rule": RULE, "rule_hit": HIT}

Make = Callable[[dict[str, Any]], dict[str, Any]]


def _task(job: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return job["params"]["function"], job["params"]["kwargs"]


def test_a_rules_notice_names_job_rule_and_error() -> None:
    """To all of its addresses, found by rule and user."""
    job = notices.notify_job_by_email(OF_JOB)
    function, mail = _task(job)

    assert function == "hysds.sdk.errands.send_mail"
    assert mail["to"] == ["a@example.org", "b@example.org"]
    assert mail["subject"] == "failed tiles: job 7f3"
    assert mail["text"] == (
        "Rule: failed tiles\nJob: 7f3\nName: tile-7\nType: job:tile\nStatus: job-failed\nError: exit code 3\n"
        "Files: https://w1.example/jobs/7\n"
    )
    assert (job["tag"], job["username"], job["name"]) == (
        "failed tiles",
        "ops",
        "action-notify_job_by_email-7f3",
    )


def test_a_datasets_notice_names_its_url() -> None:
    """The first of them; none is no error."""
    info = {"objectid": "S1-1", "rule": RULE, "rule_hit": HIT}
    assert "https://data.example/1" in _task(notices.notify_by_email(info))[1]["text"]
    bare = {"objectid": "S1-1", "rule": RULE, "rule_hit": {"_source": {}}}
    assert "(none)" in _task(notices.notify_by_email(bare))[1]["text"]


def test_a_notice_by_hand_says_what_it_is_given() -> None:
    """Plain fields in the payload."""
    info = {"email_addresses": "a@example.org", "subject": "Hello", "text": "There"}

    for make in (notices.notify_job_by_email, notices.notify_by_email):
        assert _task(make(info))[1] == {"to": ["a@example.org"], "subject": "Hello", "text": "There"}


def test_a_webhook_gets_what_the_rule_matched_or_what_it_is_given() -> None:
    """The URL stands in the rule's arguments or in the payload."""
    function, call = _task(notices.notify_by_webhook(OF_JOB))
    assert function == "hysds.sdk.errands.call_webhook"
    assert call["url"] == "https://h.example/x"
    assert call["document"]["id"] == "7f3"
    assert call["document"]["hit"] == HIT["_source"]
    _, call = _task(notices.notify_by_webhook({"url": "https://h.example/y", "document": {"a": 1}}))
    assert call == {"url": "https://h.example/y", "document": {"a": 1}}


def test_a_retry_names_the_job() -> None:
    """By a rule and by hand."""
    for info in (OF_JOB, {"job_id": "7f3"}):
        function, call = _task(retries.retry_job(info))
        assert (function, call) == ("hysds.sdk.errands.retry_job", {"job_id": "7f3"})


def test_a_custom_script_gets_the_rules_arguments() -> None:
    """Beside index and query, as in HySDS; by hand, the payload as it stands."""
    rule = {**RULE, "kwargs": json.dumps({"_command": "sh script.sh", "depth": 2})}
    info = {"index": "grq", "query": "{}", "rule": rule, "job_id": "x"}

    assert scripts.custom_script(info)["params"] == {
        "index": "grq",
        "query": "{}",
        "rule_name": "failed tiles",
        "username": "ops",
        "_command": "sh script.sh",
        "depth": 2,
    }
    assert scripts.custom_script({"_command": "true"})["params"] == {"_command": "true"}


@pytest.mark.parametrize(
    ("make", "info", "why"),
    [
        (notices.notify_job_by_email, {}, "no email_addresses or emails|no subject"),
        (notices.notify_job_by_email, {"rule": {**RULE, "kwargs": "[]"}, "job_id": "x"}, "no JSON object"),
        (
            notices.notify_job_by_email,
            {"rule": {**RULE, "kwargs": "{}"}, "job_id": "x"},
            "no email_addresses",
        ),
        (notices.notify_job_by_email, {"rule": RULE}, "no job_id"),
        (notices.notify_by_webhook, {}, "no url"),
        (notices.notify_by_webhook, {"url": "https://x", "document": []}, "document is no JSON object"),
        (retries.retry_job, {"job_id": 7}, "job_id is int, where a text is needed"),
        (retries.retry_job, {}, "no job_id"),
    ],
)
def test_what_is_missing_is_told(make: Make, info: dict[str, Any], why: str) -> None:
    """Whoever wrote the rule reads it in the refusal."""
    with pytest.raises(ValueError, match=why):
        make(info)


@pytest.mark.parametrize(
    ("make", "info"),
    [
        (notices.notify_job_by_email, OF_JOB),
        (notices.notify_by_email, {"objectid": "S1-1", "rule": RULE, "rule_hit": HIT}),
        (notices.notify_by_webhook, OF_JOB),
        (retries.retry_job, OF_JOB),
        (scripts.custom_script, {"_command": "true"}),
        (lambda info: passing.get_job_json(info, "tile"), {"_command": "true"}),
    ],
)
def test_what_they_make_are_jobs_that_can_be_submitted(make: Make, info: dict[str, Any]) -> None:
    """Each description becomes a spec, in the queue of the type's entry."""
    maker = Maker(JobSpec("job:x", info), Creator("c", "m.f", ("tasks",)), parse_document, 300.0)
    [spec] = maker.specs(make(info), 0)

    assert spec.job_queue == "tasks"
