"""What a rule is: read from documents of ours and of HySDS's, kept, and refused with every complaint."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hysds.core.errors import Conflict, Internal, InvalidSpec, NotFound
from hysds.core.rules import published, rule
from hysds.core.rules.published import MAX_RULES, added, from_stored, removed, rules_of, stored, switched
from hysds.core.rules.rule import On, Rule

GIVEN: dict[str, Any] = {
    "name": "report",
    "on": "task",
    "when": {"term": {"status": "job-failed"}},
    "then": "job:report",
    "params": {"a": 1, "b": {"from": "id"}},
    "job_name": {"from": "job.name"},
    "priority": 3,
    "queue": "q",
    "enabled": False,
    "owner": "anna",
}


def test_a_rule_is_what_its_document_says() -> None:
    """And only name, condition and what to do are required."""
    found = rule.read(GIVEN)

    assert (found.name, found.on, found.enabled, found.owner) == ("report", On.TASK, False, "anna")
    assert rule.read({"name": "r", "when": {"match_all": {}}, "then": "job:x"}) == Rule(
        "r", {"match_all": {}}, "job:x"
    )


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "a b"}, "$.name"),
        ({"name": None}, "$.name"),
        ({"name": "x" * 200}, "$.name"),
        ({"when": {"trem": {}}}, "$.when"),
        ({"when": {"bool": {"must": [{"range": {"job.params.x": {"gt": 1}}}]}}}, "$.when.bool.must[0].range"),
        ({"then": ""}, "$.then"),
        ({"then": "a\nb"}, "$.then"),
        ({"then": "action:dance"}, "$.then"),
        ({"then": "action:mail", "params": {}}, "$.params.to"),
        ({"then": "action:webhook", "params": {"url": "u", "body": 1}}, "$.params.body"),
        ({"on": "jobs"}, "$.on"),
        ({"params": []}, "$.params"),
        ({"priority": 11}, "$.priority"),
        ({"priority": True}, "$.priority"),
        ({"queue": "a b"}, "$.queue"),
        ({"enabled": "yes"}, "$.enabled"),
        ({"owner": 3}, "$.owner"),
        ({"repeats": 31}, "$.repeats"),
        ({"repeats": 1}, "$.repeats"),
        ({"since_ms": 1}, "$.since_ms"),
        ({"odd": 1}, "$.odd"),
        ({"params": {"x": "y" * 70_000}}, "$"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_rule_is_told_by_path(change: dict[str, Any], path: str) -> None:
    """Before anything is published."""
    given = {**GIVEN, **change}
    if change == {"name": None}:
        del given["name"]
    with pytest.raises(InvalidSpec) as refusal:
        rule.read(given)

    assert path in [complaint.path for complaint in refusal.value.complaints]


def test_all_that_is_wrong_is_told_at_once() -> None:
    """One look mends all."""
    with pytest.raises(InvalidSpec) as refusal:
        rule.read({"name": "a b", "when": {}, "priority": 99})

    assert {"$.name", "$.when", "$.then", "$.priority"} <= {one.path for one in refusal.value.complaints}


@pytest.mark.parametrize("given", [None, [], "x", 1])
def test_what_is_no_object_is_no_rule(given: object) -> None:
    """Somebody may hand in anything."""
    with pytest.raises(InvalidSpec):
        rule.read(given)


def test_a_rule_of_hysds_is_read_in_its_own_words() -> None:
    """Its query and its arguments are texts there, and its type is that of an interface."""
    theirs = {
        "rule_name": "retry-all",
        "query_string": json.dumps({"bool": {"must": [{"term": {"status": "job-failed"}}]}}),
        "kwargs": json.dumps({"n": 3}),
        "job_type": "hysds-io-crop:v1",
        "priority": 5,
        "username": "ops",
        "enabled": True,
        "query_all": False,
        "queue": "q",
        "job_name_path": "_source.job.name",
        "creation_time": "2020",
        "index_pattern": "",
    }
    assert rule.is_of_hysds(theirs)

    found = rule.read(rule.of_hysds(theirs))

    assert found == Rule(
        "retry-all",
        {"bool": {"must": [{"term": {"status": "job-failed"}}]}},
        "job-crop:v1",
        params={"n": 3},
        job_name={"from": "_source.job.name"},
        priority=5,
        queue="q",
        owner="ops",
    )


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"query_all": True}, "$.query_all"),
        ({"index_pattern": "grq_*"}, "$.index_pattern"),
        ({"time_limit": 5}, "$.time_limit"),
        ({"query_string": "status:failed"}, "$.query_string"),
        ({"kwargs": "{"}, "$.kwargs"),
    ],
)
def test_what_a_rule_of_hysds_asks_beyond_ours_is_refused(change: dict[str, Any], path: str) -> None:
    """Rather than be left out in silence."""
    with pytest.raises(InvalidSpec) as refusal:
        rule.of_hysds({"rule_name": "r", "query_string": "{}", "job_type": "x", **change})

    assert path in [one.path for one in refusal.value.complaints]


def test_a_set_is_kept_and_read_again() -> None:
    """Equal sets have one digest, in whatever order they were made."""
    one, two = rule.read(GIVEN), Rule("b", {"match_all": {}}, "action:retry", repeats=2, since_ms=7)

    assert from_stored(stored(rules_of([one, two]))) == rules_of([two, one])
    assert rules_of([one]).digest != rules_of([two]).digest
    with pytest.raises(Internal):
        from_stored("[{}]")


def test_a_set_is_changed_by_name() -> None:
    """Added, replaced when asked to, switched with the time from which on it looks, removed."""
    one = Rule("a", {"match_all": {}}, "job:x", since_ms=1)
    known = added(one, may_replace=False)(published.EMPTY)
    with pytest.raises(Conflict):
        added(one, may_replace=False)(known)
    assert added(replace(one, priority=1), may_replace=True)(known).get("a").priority == 1
    off = switched("a", enabled=False, now_ms=5)(known)
    assert (off.get("a").enabled, off.look_at_jobs, off.get("a").since_ms) == (False, False, 1)
    on = switched("a", enabled=True, now_ms=9)(off)
    assert (on.get("a").since_ms, on.look_at_jobs, on.look_at_happenings) == (9, True, False)
    assert switched("a", enabled=True, now_ms=11)(on) is on
    assert removed("a")(on) == published.EMPTY
    for change in (removed("b"), switched("b", enabled=True, now_ms=1)):
        with pytest.raises(NotFound):
            change(on)


def test_there_are_not_more_rules_than_can_be_looked_at() -> None:
    """Each end is held against all of them."""
    with pytest.raises(InvalidSpec):
        rules_of(Rule(f"r{n}", {"match_all": {}}, "job:x") for n in range(MAX_RULES + 1))
