"""A condition on a document answers as a search for it in a real Elasticsearch, over the store's mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hysds.core import moments
from hysds.core.conditions import condition
from hysds.ports.indices import Resource
from services.elastic_node import ElasticNode
from worlds.elastic_store import ElasticWorld

_START_MS = 1_767_225_600_000


def _document(number: int, **fields: Any) -> dict[str, Any]:
    id_ = f"{number:08x}-0000-4000-8000-000000000000"
    job = fields.pop("job", {})
    info = {
        "job_queue": f"q{number % 2}",
        "time_queued": moments.iso(_START_MS + number),
        "duration": number / 2,
    }
    return {
        "id": id_,
        "_id": id_,
        "resource": "job",
        "revision": number + 1,
        "generation": 1,
        "type": "job:x",
        "status": "job-failed",
        "@timestamp": moments.iso(_START_MS + 86_400_000 * number),
        "@version": "1",
        "job": {"priority": number, "job_info": info, **job},
        **fields,
    }


DOCUMENTS = [
    _document(
        0, short_error="No space left on device", error="No space left on device: /data", failure_class="user"
    ),
    _document(
        1,
        status="job-completed",
        tags=["trial", "night"],
        job={"tag": "trial", "params": {"n": 3, "on": True}},
    ),
    _document(2, job={"params": {"url": "s3://b/a.tif", "n": "3", "deep": [{"k": "v"}, {"k": ["w", None]}]}}),
    _document(
        3,
        status="job-revoked",
        hint="look at the Disk",
        msg=["all is full"],
        job={"name": "ä B*c?", "tag": "A"},
    ),
    _document(
        4,
        status="job-deduped",
        traceback="line 1\nNo such file",
        job={"context": {"pass": "s3://x"}, "tag": ""},
    ),
    _document(
        5,
        type="job:y",
        short_error="space, no device",
        caused_by="x",
        rule="r",
        rule_lineage=["s", "r"],
        rule_depth=2,
    ),
]
QUERIES: list[dict[str, Any]] = [
    {"match_all": {}},
    {"match_none": {}},
    {"term": {"status": "job-failed"}},
    {"term": {"status": "failed"}},
    {"term": {"status": {"value": "JOB-FAILED", "case_insensitive": True}}},
    {"term": {"type": "job:y"}},
    {"term": {"tags": "night"}},
    {"term": {"tags.keyword": "night"}},
    {"term": {"job.tag": "A"}},
    {"term": {"job.tag": "a"}},
    {"term": {"job.tag": ""}},
    {"term": {"job.priority": 3}},
    {"term": {"job.priority": "3"}},
    {"term": {"job.job_info.duration": 1.5}},
    {"term": {"job.params.n": 3}},
    {"term": {"job.params.n": "3"}},
    {"term": {"job.params.on": True}},
    {"term": {"job.params.deep.k": "w"}},
    {"term": {"job.params": "v"}},
    {"term": {"job.params.absent": "v"}},
    {"term": {"rule_lineage": "s"}},
    {"term": {"rule_depth": 2}},
    {"terms": {"status": ["job-failed", "job-completed"]}},
    {"terms": {"job.priority": [1, 2, 9]}},
    {"match": {"short_error": "SPACE nowhere"}},
    {"match": {"short_error": {"query": "space left", "operator": "and"}}},
    {"match": {"error": "data"}},
    {"match": {"hint": "disk"}},
    {"match": {"traceback": "no such"}},
    {"term": {"short_error": "space"}},
    {"term": {"short_error": "Space"}},
    {"term": {"short_error": "No space left on device"}},
    {"term": {"short_error.keyword": "No space left on device"}},
    {"terms": {"hint": ["disk", "tape"]}},
    {"prefix": {"short_error": "devi"}},
    {"prefix": {"short_error.keyword": "No sp"}},
    {"wildcard": {"traceback": "su?h"}},
    {"match": {"msg": "all is full"}},
    {"match": {"msg": "full"}},
    {"match": {"status": "job-failed"}},
    {"match": {"status": "failed"}},
    {"match": {"job.priority": 4}},
    {"match_phrase": {"short_error": "space left"}},
    {"match_phrase": {"short_error": "left space"}},
    {"match_phrase": {"traceback": "such file"}},
    {"match": {"msg.text": "FULL"}},
    {"range": {"job.priority": {"gte": 2, "lt": 5}}},
    {"range": {"job.priority": {"gt": 4}}},
    {"range": {"job.job_info.duration": {"lte": 0.5}}},
    {"range": {"@timestamp": {"gte": "2026-01-03", "lt": "2026-01-05"}}},
    {"range": {"@timestamp": {"gt": _START_MS + 86_400_000 * 3}}},
    {"range": {"job.job_info.time_queued": {"lte": moments.iso(_START_MS + 2)}}},
    {"range": {"status": {"gte": "job-d", "lt": "job-g"}}},
    {"exists": {"field": "tags"}},
    {"exists": {"field": "job.params"}},
    {"exists": {"field": "job.params.url"}},
    {"exists": {"field": "job.context"}},
    {"exists": {"field": "job.job_info"}},
    {"exists": {"field": "hint"}},
    {"exists": {"field": "signum"}},
    {"prefix": {"job.params.url": "s3://"}},
    {"prefix": {"job.context.pass": {"value": "s3"}}},
    {"prefix": {"type": {"value": "JOB:", "case_insensitive": True}}},
    {"wildcard": {"status": "job-*ed"}},
    {"wildcard": {"status": {"value": "job-?????d"}}},
    {"wildcard": {"type": {"wildcard": "*:Y", "case_insensitive": True}}},
    {"ids": {"values": [DOCUMENTS[2]["id"], "nobody"]}},
    {"constant_score": {"filter": {"term": {"status": "job-failed"}}}},
    {"bool": {}},
    {"bool": {"must": {"term": {"type": "job:x"}}, "must_not": [{"exists": {"field": "tags"}}]}},
    {"bool": {"should": [{"term": {"job.tag": "A"}}, {"term": {"type": "job:y"}}]}},
    {"bool": {"filter": [{"match_all": {}}], "should": [{"match_none": {}}]}},
    {
        "bool": {
            "should": [
                {"term": {"status": "job-failed"}},
                {"term": {"type": "job:y"}},
                {"range": {"job.priority": {"gt": 1}}},
            ],
            "minimum_should_match": 2,
        }
    },
    {"bool": {"must_not": {"bool": {"should": [{"term": {"status": "job-failed"}}]}}}},
]  # fmt: skip


@pytest.fixture(scope="module")
def world(elastic_server: ElasticNode) -> Iterator[ElasticWorld]:
    """The documents, written by the store."""
    with elastic_server.own_prefix() as prefix:
        found = ElasticWorld(elastic_server, prefix)
        store = found.store()
        store.write(DOCUMENTS)
        store.refresh()
        yield found
        store.close()
        found.close()


@pytest.mark.parametrize("query", QUERIES, ids=json.dumps)
def test_a_condition_answers_as_a_search(world: ElasticWorld, query: dict[str, Any]) -> None:
    """For every document; so a rule fires on what a dashboard shows, without waiting for it."""
    index = world.names.reading(Resource.JOB)
    answer = world.node.request("POST", f"/{index}/_search?size=100", {"query": query})
    found = {hit["_id"] for hit in answer["hits"]["hits"]}

    assert {one["id"] for one in DOCUMENTS if condition(query).holds(one)} == found
