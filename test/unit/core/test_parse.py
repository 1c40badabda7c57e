"""What a job spec may say, and how a wrong one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hysds.core import parse, spec
from hysds.core.budgets import Budget, OomLadder, Retry
from hysds.core.errors import InvalidSpec

LEAST = {"job_type": "job:hello", "payload": {"_command": "echo hello"}}


def with_(**fields: Any) -> dict[str, Any]:
    return {**LEAST, **fields}


def with_oom(ladder: dict[str, Any]) -> dict[str, Any]:
    """A job that may hold 1 GiB and says what follows where that was too little."""
    return with_(resources={"memory": "1GiB"}, retry={"oom": ladder})


def with_codes(code: str, **budget: Any) -> dict[str, Any]:
    return with_(retry={"on_exit_codes": {code: {"attempts": 2, **budget}}})


def complaints(document: Any) -> dict[str, str]:
    text = document if isinstance(document, str | bytes) else json.dumps(document)
    with pytest.raises(InvalidSpec) as caught:
        parse.parse(text)
    return {complaint.path: complaint.message for complaint in caught.value.complaints}


def test_the_least_spec_has_the_defaults_of_the_reference() -> None:
    """Only a type and a payload with a command are required."""
    found = parse.parse(json.dumps(LEAST))

    assert (found.name, found.bare_type, found.argv) == ("job__hello", "hello", ("echo", "hello"))
    assert (found.priority, found.enable_dedup, str(found.shape)) == (None, True, "1s")


def test_sizes_durations_and_times_are_read_with_their_units() -> None:
    """What a person writes becomes bytes, seconds and seconds since 1970."""
    found = parse.parse(
        json.dumps(
            with_(
                time_limit="2h",
                soft_time_limit=90,
                ttl="1d",
                not_before="2030-01-01T01:00:00+01:00",
                resources={"memory": "10 GiB", "disk": "10GB"},
                retry={"gpu": {"attempts": 5, "delay": "10s"}},
            )
        )
    )

    assert (found.time_limit, found.soft_time_limit, found.ttl) == (7200.0, 90.0, 86400.0)
    assert found.not_before == 1893456000.0
    assert (found.resources.memory, found.resources.disk) == (10 * 2**30, 10 * 10**9)
    assert found.retry.gpu == Budget(5, 10.0)


@pytest.mark.parametrize(
    ("given", "for_s", "at_s"),
    [("2h", 7200.0, 0), (90, 90.0, 0), ("2030-01-01T01:00:00+01:00", 0, 1893456000.0), ("10", 10.0, 0)],
)
def test_a_deadline_is_a_time_or_a_duration(given: object, for_s: float, at_s: float) -> None:
    """One field for both: no duration is longer than ten years, and no time before 1980 can be kept."""
    found = parse.parse_document(with_(deadline=given))

    assert (found.deadline_for_s, found.deadline_at_s) == (for_s, at_s)
    assert spec.from_stored(spec.stored(found)) == found


def test_a_retry_has_budgets_by_class_and_by_exit_code_and_a_ladder_of_memory() -> None:
    """A cap is a duration in a budget and a size in the ladder."""
    found = parse.parse_document(
        with_(
            resources={"memory": "1GiB"},
            retry={
                "worker-lost": {"attempts": None},
                "oom": {"attempts": 3, "factor": 1.5, "cap": "4GiB"},
                "on_exit_codes": {"75": {"attempts": 5, "delay": "1m", "cap": "5m"}, "255": {"attempts": 2}},
            },
        )
    )

    assert found.retry == Retry(
        worker_lost=Budget(None),
        oom=OomLadder(3, 4 * 2**30, 1.5),
        on_exit_codes={"75": Budget(5, 60.0, 300.0), "255": Budget(2)},
    )


def test_what_can_t_be_read_is_told_once() -> None:
    """A field in a wrong unit is wrong, not missing."""
    with pytest.raises(InvalidSpec) as caught:
        parse.parse_document(with_oom({"attempts": 2, "cap": "5m"}))

    assert len(caught.value.complaints) == 1


def test_a_ladder_that_begins_at_its_cap_may_be_given() -> None:
    """A cap of the site's and a job that asks for all of it: it is just not tried again."""
    assert parse.parse_document(with_oom({"attempts": 2, "cap": "1GiB"})).retry.oom == OomLadder(2, 2**30)


def test_all_complaints_come_at_once_each_with_its_path() -> None:
    """Nobody mends a spec one error a time."""
    found = complaints(
        {
            "job_type": 1,
            "paylod": {},
            "priority": 11,
            "resources": {"slots": 0, "memory": "10 Gib", "gpus": 1},
            "time_limit": -1,
            "soft_time_limit": "11y",
        }
    )

    assert set(found) == {
        "$.job_type",
        "$.payload",
        "$.paylod",
        "$.priority",
        "$.resources.slots",
        "$.resources.memory",
        "$.resources.gpus",
        "$.time_limit",
        "$.soft_time_limit",
    }
    assert found["$.paylod"] == "unknown field; did you mean payload?"


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        ("{", "$", "not JSON"),
        (b"\xff", "$", "UTF-8"),
        ("[1]", "$", "a JSON object, not a list"),
        ("[" * 100_000, "$", "nested too deeply"),
        ('{"job_type": "a", "payload": {"v": NaN}}', "$", "NaN"),
        ('{"job_type": "a", "payload": {"v": "\\ud800"}}', "$", "surrogate"),
        ('{"job_type": "a", "job_type": "b", "payload": {}}', "$.job_type", "given twice"),
        ('{"job_type": "a", "payload": {"x": [{"a": 1, "a": 2}]}}', "$.payload.x[0].a", "given twice"),
        ({"payload": LEAST["payload"]}, "$.job_type", "is required"),
        ({"job_type": "job:x"}, "$.payload", "is required"),
        (with_(payload={"_command": "echo 'x"}), "$.payload._command", "no closing quotation"),
        (with_(payload={"_command": "  "}), "$.payload._command", "names no program"),
        (with_(payload={"_command": "a\0b"}), "$.payload._command", "NUL"),
        (with_(payload={"_command": ["a"]}), "$.payload._command", "must be a string"),
        (
            with_(payload={"_command": "a", "localize_urls": []}),
            "$.payload.localize_urls",
            "can't be localized",
        ),
        (
            with_(payload={"_command": "a", "job_specification": {}}),
            "$.payload.job_specification",
            "don't exist yet",
        ),
        (with_(payload={"_command": "a", "_disk_usage": "10 Gib"}), "$.payload._disk_usage", "not a size"),
        (with_(job_name="a\0"), "$.job_name", "control character"),
        (with_(job_name="x" * 10_000), "$.job_name", "at most 255"),
        (with_(job_type="x" * 10_000), "$.job_type", "at most 255"),
        (with_(concurrency_key="x" * 10_240), "$.concurrency_key", "at most 255"),
        (with_(concurrency_key="a\n"), "$.concurrency_key", "control character"),
        (with_(concurrency_key=""), "$.concurrency_key", "at least 1"),
        (with_(job_queue="two words"), "$.job_queue", "can't name a queue"),
        (with_(priority="3"), "$.priority", "valid integer"),
        (with_(priority=True), "$.priority", "valid integer"),
        (with_(priority=-1), "$.priority", "greater than or equal to 0"),
        (with_(enable_dedup="no"), "$.enable_dedup", "valid boolean"),
        (with_(context=[]), "$.context", "object"),
        (with_(env={"A": 1}), "$.env.A", "valid string"),
        (with_(env={"1": "x"}), '$.env["1"]', "no variable's name"),
        (with_(env={"HYSDS_X": "x"}), "$.env.HYSDS_X", "reserved"),
        (with_(env={"A": "a\0"}), "$.env.A", "NUL"),
        (with_(time_limit=0), "$.time_limit", "greater than 0"),
        (with_(time_limit="3700d"), "$.time_limit", "longer than 10 years, not 3700d"),
        (with_(time_limit=10, soft_time_limit=20), "$.soft_time_limit", "beyond the time_limit"),
        (with_(not_before="2030-01-01T00:00:00"), "$.not_before", "no time with a zone"),
        (with_(not_before=5), "$.not_before", "no time with a zone"),
        (with_(deadline="tomorrow"), "$.deadline", "neither a duration"),
        (with_(deadline="2030-01-01T00:00:00"), "$.deadline", "a time with a zone"),
        (with_(deadline="1970-01-02T00:00:00Z"), "$.deadline", "lies in the past"),
        (with_(deadline="3700d"), "$.deadline", "at most 10 years"),
        (with_(deadline=0), "$.deadline", "more than nothing"),
        (with_(deadline=True), "$.deadline", "is not a duration"),
        (with_(retry={"cancelled": {"attempts": 2}}), "$.retry.cancelled", "is no failure class"),
        (with_(retry={"worker_lost": {"attempts": 2}}), "$.retry.worker_lost", "did you mean worker-lost?"),
        (with_(retry={"gpu": {}}), "$.retry.gpu.attempts", "is required"),
        (with_(retry=[]), "$.retry", "an object"),
        (with_(retry={"oom": {"attempts": 2, "cap": "2GiB"}}), "$.retry.oom", "needs resources.memory"),
        (with_oom({"attempts": 2}), "$.retry.oom.cap", "is required"),
        (with_oom({"attempts": 2, "cap": "5m"}), "$.retry.oom.cap", "'5m' is not a size"),
        (
            with_oom({"attempts": 2, "cap": "1023MiB"}),
            "$.retry.oom.cap",
            "below resources.memory of 1.074 GB",
        ),
        (with_oom({"attempts": 2, "cap": "2GiB", "factor": 1}), "$.retry.oom.factor", "greater than 1"),
        (with_oom({"attempts": 2, "cap": "2GiB", "delay": 1}), "$.retry.oom.delay", "unknown field"),
        (with_oom({"attempts": 0, "cap": "2GiB"}), "$.retry.oom.attempts", "greater than or equal to 1"),
        (with_codes("0"), '$.retry.on_exit_codes["0"]', "no exit code of a failure"),
        (with_codes("256"), '$.retry.on_exit_codes["256"]', "no exit code of a failure"),
        (with_codes("075"), '$.retry.on_exit_codes["075"]', "no exit code of a failure"),
        (with_codes("-9"), '$.retry.on_exit_codes["-9"]', "a command that a signal ended has none"),
        (with_codes("SIGTERM"), "$.retry.on_exit_codes.SIGTERM", "a command that a signal ended has none"),
        (with_codes("75", delay="1 fortnight"), '$.retry.on_exit_codes["75"].delay', "not a duration"),
        (with_codes("75", factor=2), '$.retry.on_exit_codes["75"].factor', "unknown field"),
        (with_(retry={"on_exit_codes": {"75": 3}}), '$.retry.on_exit_codes["75"]', "an object"),
        (with_(retry={"on_exit_codes": ["75"]}), "$.retry.on_exit_codes", "an object"),
        (with_(payload_hash="a b"), "$.payload_hash", "letters, digits"),
        (with_(container_image_name="x"), "$.container_image_name", "unknown field"),
    ],
)
def test_a_wrong_spec_is_refused_with_what_and_where(document: Any, path: str, words: str) -> None:
    """Each bad input has a complaint at its own path that says what to do."""
    assert words in complaints(document)[path]


def test_a_spec_above_the_limit_is_refused_before_it_is_read() -> None:
    """A megabyte is the limit, counted in bytes."""
    found = complaints(with_(payload={"_command": "a", "x": "é" * 500_000}))

    assert "more than 1,000,000 bytes" in found["$"]


def test_an_emoji_in_a_name_is_no_reason_to_refuse() -> None:
    """Names are text in any script."""
    assert parse.parse(json.dumps(with_(job_name="\N{SLEEPING FACE}"))).name == "\N{SLEEPING FACE}"


def test_disk_usage_is_another_name_for_the_disk_that_a_job_needs() -> None:
    """HySDS's payload key and our field mean one thing, and may not contradict each other."""
    payload = {"_command": "a", "_disk_usage": "10GB"}

    assert parse.parse_document(with_(payload=payload)).resources.disk == 10**10
    assert "contradicts" in complaints(with_(payload=payload, resources={"disk": 1}))["$.payload._disk_usage"]


def test_a_stored_spec_reads_back_equal() -> None:
    """What the ledger keeps is the spec, with nothing lost and nothing added."""
    retry = {
        "user": {"attempts": None},
        "worker-lost": {"attempts": 2},
        "oom": {"attempts": 3, "cap": 2**31, "factor": 3},
        "on_exit_codes": {"7": {"attempts": 2}},
    }
    found = parse.parse_document(
        with_(resources={"slots": 2, "memory": 2**30}, retry=retry, env={"A": "b"}, tag="t")
    )

    assert spec.from_stored(spec.stored(found)) == found
    assert json.loads(spec.stored(found))["retry"] == retry
    assert json.loads(spec.stored(parse.parse_document(LEAST))) == LEAST
