"""What a job spec may say, and how a wrong one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hysds.core import parse, spec
from hysds.core.errors import InvalidSpec

LEAST = {"job_type": "job:hello", "payload": {"_command": "echo hello"}}


def with_(**fields: Any) -> dict[str, Any]:
    return {**LEAST, **fields}


def complaints(document: Any) -> dict[str, str]:
    text = document if isinstance(document, str | bytes) else json.dumps(document)
    with pytest.raises(InvalidSpec) as caught:
        parse.parse(text)
    return {complaint.path: complaint.message for complaint in caught.value.complaints}


def test_the_least_spec_has_the_defaults_of_the_reference() -> None:
    """Only a type and a payload with a command are required."""
    found = parse.parse(json.dumps(LEAST))

    assert (found.name, found.bare_type, found.argv) == ("job__hello", "hello", ("echo", "hello"))
    assert (found.priority, found.enable_dedup, str(found.shape)) == (0, True, "1s")


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
    assert found.retry["gpu"] == spec.Budget(5, 10.0)


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
        (with_(payload={"x": 1}), "$.payload._command", "is required"),
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
        (with_(job_type="job:\N{SLEEPING FACE}"), "$.job_queue", "is required here"),
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
        (with_(retry={"cancelled": {"attempts": 2}}), "$.retry.cancelled", "is no failure class"),
        (with_(retry={"gpu": {}}), "$.retry.gpu.attempts", "is required"),
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
    found = parse.parse_document(
        with_(resources={"slots": 2}, retry={"user": {"attempts": None}}, env={"A": "b"}, tag="t")
    )

    assert spec.from_stored(spec.stored(found)) == found
    assert json.loads(spec.stored(parse.parse_document(LEAST))) == LEAST
