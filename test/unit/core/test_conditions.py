"""Conditions in HySDS's query language, carried out on plain documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hysds.core import condition_values
from hysds.core.conditions import MAX_CLAUSES, MAX_DEPTH, condition
from hysds.core.errors import InvalidSpec

_DOCUMENT: dict[str, Any] = {
    "id": "00000000-0000-4000-8000-000000000001",
    "status": "job-failed",
    "type": "job:crop",
    "short_error": "No space left on device",
    "tags": ["trial", "night"],
    "@timestamp": "2026-11-23T12:00:00.000Z",
    "job": {
        "name": "crop-1",
        "priority": 7,
        "params": {"n": 3, "x": 3.0, "on": True, "url": "s3://b/a.tif", "deep": [{"k": "v"}]},
        "job_info": {"time_end": "2026-11-23T11:59:00.000Z", "duration": 61.5},
        "dotted.key": "here",
    },
    "event": {"rule": None},
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"match_all": {}}, True),
        ({"match_none": {}}, False),
        ({"term": {"status": "job-failed"}}, True),
        ({"term": {"status": "failed"}}, False),
        ({"term": {"status.keyword": "job-failed"}}, True),
        ({"term": {"status": {"value": "JOB-FAILED"}}}, False),
        ({"term": {"status": {"value": "JOB-FAILED", "case_insensitive": True, "boost": 2}}}, True),
        ({"term": {"tags": "night"}}, True),
        ({"term": {"job.priority": 7.0}}, True),
        ({"term": {"job.priority": "7"}}, True),
        ({"term": {"job.params.n": 3}}, True),
        ({"term": {"job.params.n": 3.0}}, False),
        ({"term": {"job.params.on": True}}, True),
        ({"term": {"job.params.on": "true"}}, True),
        ({"term": {"job.params.deep.k": "v"}}, True),
        ({"term": {"job.params": "v"}}, True),
        ({"term": {"job": "crop-1"}}, False),
        ({"term": {"job.dotted.key": "here"}}, True),
        ({"terms": {"status": ["job-completed", "job-failed"], "boost": 1.0}}, True),
        ({"terms": {"status": []}}, False),
        ({"match": {"short_error": "SPACE nowhere"}}, True),
        ({"match": {"short_error": {"query": "SPACE nowhere", "operator": "and"}}}, False),
        ({"match": {"short_error": "***"}}, False),
        ({"match": {"status": "job-completed"}}, False),
        ({"match": {"status.text": "failed"}}, True),
        ({"match_phrase": {"short_error": "space left"}}, True),
        ({"match_phrase": {"short_error": "left space"}}, False),
        ({"range": {"job.priority": {"gte": 7, "lt": 8}}}, True),
        ({"range": {"job.priority": {"gt": 7}}}, False),
        ({"range": {"job.job_info.duration": {"gte": "60"}}}, True),
        ({"range": {"job.job_info.time_end": {"gte": "now-1h", "lt": "now"}}}, True),
        ({"range": {"job.job_info.time_end": {"lt": "2026-11-23"}}}, False),
        ({"range": {"job.job_info.time_end": {"gt": 1_700_000_000_000}}}, True),
        ({"range": {"absent": {"gt": 0}}}, False),
        ({"range": {"status": {"gte": "job-a", "lte": "job-z"}}}, True),
        ({"range": {"status": {"gte": 1}}}, False),
        ({"exists": {"field": "job.params.url"}}, True),
        ({"exists": {"field": "job.params"}}, True),
        ({"exists": {"field": "event"}}, False),
        ({"exists": {"field": "absent"}}, False),
        ({"prefix": {"job.params.url": "s3://"}}, True),
        ({"prefix": {"type": {"value": "JOB:", "case_insensitive": True}}}, True),
        ({"wildcard": {"type": "job:c?op*"}}, True),
        ({"wildcard": {"type": {"wildcard": "*x*"}}}, False),
        ({"ids": {"values": [_DOCUMENT["id"]]}}, True),
        ({"ids": {"values": []}}, False),
        ({"constant_score": {"filter": {"term": {"type": "job:crop"}}}}, True),
        ({"bool": {}}, True),
        ({"bool": {"must": {"term": {"status": "job-failed"}}, "must_not": [{"term": {"tags": "x"}}]}}, True),
        ({"bool": {"must_not": {"match_all": {}}}}, False),
        ({"bool": {"should": [{"match_none": {}}, {"match_all": {}}]}}, True),
        ({"bool": {"should": [{"match_none": {}}]}}, False),
        ({"bool": {"filter": {"match_all": {}}, "should": [{"match_none": {}}]}}, True),
        ({"bool": {"should": [{"match_all": {}}, {"match_none": {}}], "minimum_should_match": 2}}, False),
        ({"query": {"match_all": {}}}, True),
    ],
    ids=json.dumps,
)
def test_a_query_holds_for_a_document_as_in_a_search(query: dict[str, Any], expected: bool) -> None:
    """What HySDS's rules ask, on the document alone."""
    assert condition(query).holds(_DOCUMENT) is expected


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (None, "$"),
        ([], "$"),
        ({}, "$"),
        ({"term": {}, "terms": {}}, "$"),
        ({"query_string": {"query": "status:failed"}}, "$"),
        ({"script": {"source": "1"}}, "$"),
        ({"trem": {"a": 1}}, "$"),
        ({"term": {"a": 1, "b": 2}}, "$.term"),
        ({"term": {"a": None}}, "$.term"),
        ({"term": {"a": {"value": 1, "fuzziness": 1}}}, "$.term.fuzziness"),
        ({"terms": {"a": "x"}}, "$.terms"),
        ({"terms": {"a": {"index": "x"}}}, "$.terms"),
        ({"match": {"a": {"query": "x", "operator": "xor"}}}, "$.match.operator"),
        ({"match": {"a": {"query": "x", "fuzziness": "AUTO"}}}, "$.match.fuzziness"),
        ({"range": {"job.params.n": {"gt": 2}}}, "$.range"),
        ({"range": {"job.context": {"gt": 2}}}, "$.range"),
        ({"range": {"a": 1}}, "$.range"),
        ({"range": {"a": {"gt": "now-1d/d"}}}, "$.range.gt"),
        ({"range": {"a": {"gt": [1]}}}, "$.range.gt"),
        ({"range": {"a": {"gt": 1, "time_zone": "x"}}}, "$.range.time_zone"),
        ({"exists": {}}, "$.exists"),
        ({"prefix": {"a": 1}}, "$.prefix"),
        ({"wildcard": {"a": "*" * 2000}}, "$.wildcard"),
        ({"ids": {"values": [1]}}, "$.ids"),
        ({"match_all": []}, "$.match_all"),
        ({"bool": []}, "$.bool"),
        ({"bool": {"must": [{"match_all": {}}, {"nested": {}}]}}, "$.bool.must[1]"),
        ({"bool": {"most": []}}, "$.bool.most"),
        ({"bool": {"should": [], "minimum_should_match": "75%"}}, "$.bool.minimum_should_match"),
        ({"constant_score": {}}, "$.constant_score.filter"),
    ],
    ids=str,
)
def test_a_query_that_can_not_be_honoured_is_refused_by_path(query: object, path: str) -> None:
    """Nothing of it is ignored: a condition that is wider than it reads would fire."""
    with pytest.raises(InvalidSpec) as refusal:
        condition(query)

    assert path in [complaint.path for complaint in refusal.value.complaints]


def test_all_that_is_wrong_is_said_at_once() -> None:
    """One look mends all."""
    with pytest.raises(InvalidSpec) as refusal:
        condition({"bool": {"must": [{"trem": {}}, {"range": {"job.params.x": {"gt": 1}}}]}})

    assert len(refusal.value.complaints) == 2


def test_a_query_of_any_size_is_refused_and_not_followed() -> None:
    """Neither depth nor breadth has a process run out of stack or time."""
    deep: dict[str, Any] = {"match_all": {}}
    for _ in range(MAX_DEPTH * 20):
        deep = {"bool": {"must": deep}}
    wide = {"bool": {"should": [{"match_all": {}}] * (MAX_CLAUSES + 1)}}

    for query in (deep, wide):
        with pytest.raises(InvalidSpec):
            condition(query)


def test_a_range_over_params_is_refused_with_the_reason() -> None:
    """As a search refuses it."""
    with pytest.raises(InvalidSpec, match="no range"):
        condition({"range": {"job.params.n": {"gt": 2}}})


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [("", "", True), ("", "*", True), ("a", "", False), ("abc", "a*c", True), ("abc", "a?c", True),
     ("abc", "*b", False),      ("a*c", "a*c", True), ("aaa", "*a*a*", True), ("ab", "a*b*c", False),
     ("a" * 4000, "*a" * 500 + "b", False)],
)  # fmt: skip
def test_a_wildcard_fits_as_a_shell_would_say(text: str, pattern: str, expected: bool) -> None:
    """However many stars it has, without trying every way."""
    assert condition_values.wildcard(pattern)(text) is expected


def test_terms_are_any_of_several_terms() -> None:
    """Whatever kind the values and what is wanted are of, and wherever they stand."""
    kinds = [
        3,
        3.0,
        "3",
        "3.0",
        " 3",
        True,
        "true",
        1,
        "1",
        "",
        "nan",
        float("inf"),
        "inf",
        10**400,
        "x",
        None,
    ]
    for path in ("x", "job.params.x"):
        for value in kinds:
            document = {"x": value, "job": {"params": {"x": value}}}
            for wanted in [one for one in kinds if one is not None]:
                alone = condition({"term": {path: wanted}}).holds(document)

                assert condition({"terms": {path: ["y", wanted]}}).holds(document) is alone, (value, wanted)


def test_no_document_keeps_a_condition_busy() -> None:
    """Of a path so many values are looked at, in order; nesting costs nothing, and a pattern is not tried in every
    way."""
    most = condition_values.MOST_VALUES
    deep: Any = ["end"]
    for _ in range(20_000):
        deep = [deep]
    document = {"tags": ["a" * 4_000 + str(n) for n in range(most)] + ["last"], "event": {"deep": deep}}

    assert condition({"term": {"event.deep": "end"}}).holds(document)
    assert not condition({"term": {"tags": "last"}}).holds(document)
    assert not condition({"wildcard": {"tags": "*" + "a" * 1_000 + "b" + "*a" * 10}}).holds(document)


@pytest.mark.parametrize(
    "kind", ["term", "terms", "match", "match_phrase", "range", "prefix", "wildcard", "exists"]
)
def test_a_path_of_any_length_is_refused(kind: str) -> None:
    """No document has it, and each of its keys would be looked for."""
    for at in (".".join("a" * (condition_values.MOST_PARTS + 1)), "a" * (condition_values.MOST_PATH + 1)):
        wanted: Any = {"terms": ["x"], "range": {"gt": 1}}.get(kind, "x")
        with pytest.raises(InvalidSpec, match="names too many keys"):
            condition({kind: {"field": at} if kind == "exists" else {at: wanted}})
