"""Queries as HySDS's tools write them, on the real server, over documents of jobs that ran in a simulated system."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from hysds.core.query import JobQuery
from hysds.core.where import How, Where
from hysds.testing import Play, SimulatedSystem
from services.elastic_node import ElasticNode
from worlds.elastic_store import ElasticWorld, FreshStore

_NIGHTLY = {
    "job_type": "job:count",
    "payload": {"_command": "./count", "input": {"url": "s3://bucket/a.tif"}, "level": 3, "fast": True},
    "context": {"project": "blue"},
    "tag": "nightly",
    "job_queue": "default",
    "username": "ada",
    "priority": 7,
}
_BROKEN = {
    "job_type": "job:crash",
    "payload": {"_command": "./crash", "input": {"url": "s3://bucket/b.tif"}, "level": 4},
    "tag": "daily",
    "job_queue": "default",
    "username": "bob",
}
_WAITING = {
    "job_type": "job:count",
    "payload": {"_command": "./later"},
    "job_queue": "elsewhere",
    "tag": "nightly",
}


@dataclass(frozen=True)
class _Cluster:
    """What a tool of HySDS has: a client and names."""

    client: Elasticsearch
    node: ElasticNode
    prefix: str
    store: FreshStore
    ids: dict[str, str]
    """Of the nightly, the broken and the waiting job."""

    def find(self, query: dict[str, Any], index: str = "job_status-current", **more: Any) -> list[str]:
        """The names of the jobs that a query finds."""
        self.store.refresh()
        found = self.client.search(index=f"{self.prefix}{index}", query=query, size=100, **more)
        names = {id_: name for name, id_ in self.ids.items()}
        return [names[hit["_id"]] for hit in found["hits"]["hits"]]


@pytest.fixture(scope="module")
def cluster(elastic_server: ElasticNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Cluster]:
    """Three jobs: one completed, one failed, one that waits."""
    with elastic_server.own_prefix() as prefix:
        world = ElasticWorld(elastic_server, prefix)
        ids, documents = _ran(tmp_path_factory.mktemp("simulated"))
        with closing(world.store()) as store, closing(Elasticsearch(elastic_server.url)) as client:
            store.write(documents)
            yield _Cluster(client, elastic_server, prefix, store, ids)
        world.close()


def _ran(home: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    fails = Play(exit_code=3)
    with SimulatedSystem(home, lambda workload: fails if "./crash" in str(workload) else Play()) as system:
        specs = {"nightly": _NIGHTLY, "broken": _BROKEN, "waiting": _WAITING}
        ids = {}
        for name, spec in specs.items():
            ids[name] = system.client.submit(spec).id
            system.later(1)
        return ids, [dict(system.client.job(id_)) for id_ in ids.values()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"term": {"status": "job-failed"}}, "broken"),
        ({"terms": {"status": ["job-queued", "job-completed"]}}, "nightly waiting"),
        ({"term": {"type": "job:count"}}, "nightly waiting"),
        (
            {"bool": {"must": [{"term": {"job.tag": "nightly"}}, {"term": {"job.username": "ada"}}]}},
            "nightly",
        ),
        ({"term": {"tags": "daily"}}, "broken"),
        ({"term": {"tags.keyword": "daily"}}, "broken"),
        ({"term": {"job.job_info.job_queue": "elsewhere"}}, "waiting"),
        ({"range": {"job.priority": {"gte": 6}}}, "nightly"),
        ({"range": {"job.job_info.time_end": {"gte": "now-1d"}}}, "broken nightly"),
        ({"range": {"@timestamp": {"lt": "now-1d"}}}, ""),
        ({"range": {"job.job_info.cmd_duration": {"gte": 0}}}, "broken nightly"),
        ({"match": {"error": "exit code"}}, "broken"),
        ({"exists": {"field": "job.params.fast"}}, "nightly"),
        ({"term": {"job.params.level": 3}}, "nightly"),
        ({"term": {"job.params.fast": True}}, "nightly"),
        ({"prefix": {"job.params.input.url": "s3://bucket/"}}, "broken nightly"),
        ({"term": {"job.context.project": "blue"}}, "nightly"),
        ({"query_string": {"query": "bob", "default_field": "text_fields"}}, "broken"),
        ({"query_string": {"query": 'status:job-failed AND job.tag:"daily"'}}, "broken"),
        ({"wildcard": {"celery_hostname": "simulated@*"}}, "broken nightly"),
        ({"term": {"dedup": True}}, "broken nightly waiting"),
        ({"match_all": {}}, "broken nightly waiting"),
    ],
    ids=lambda told: told if isinstance(told, str) else json.dumps(told),
)
def test_a_query_of_hysds_finds_what_it_found_there(
    cluster: _Cluster, query: dict[str, Any], expected: str
) -> None:
    """Over the fields of its documents, by their names and types."""
    assert sorted(cluster.find(query)) == expected.split()


def test_a_job_is_found_by_each_of_its_ids(cluster: _Cluster) -> None:
    """HySDS's identities are one; the document's own `_id` too."""
    id_ = cluster.ids["nightly"]
    fields = (
        "uuid",
        "id",
        "id.keyword",
        "job_id",
        "payload_id",
        "job.job_id",
        "job.task_id",
        "job.job_info.id",
    )
    for query in ({"ids": {"values": [id_]}}, *({"term": {field: id_}} for field in fields)):
        assert cluster.find(query) == ["nightly"], query


def test_failed_jobs_have_their_alias(cluster: _Cluster) -> None:
    """HySDS's index of failed jobs is a view of the same documents."""
    assert cluster.find({"match_all": {}}, "job_failed") == ["broken"]


def test_jobs_are_sorted_and_counted_as_in_hysds(cluster: _Cluster) -> None:
    """By times, and by status."""
    newest = [{"job.job_info.time_queued": {"order": "desc"}}]
    assert cluster.find({"match_all": {}}, sort=newest) == ["waiting", "broken", "nightly"]
    aggs = {"by": {"terms": {"field": "status"}}}
    found = cluster.client.search(index=f"{cluster.prefix}job_status-current", size=0, aggs=aggs)
    counts = {bucket["key"]: bucket["doc_count"] for bucket in found["aggregations"]["by"]["buckets"]}
    assert counts == {"job-completed": 1, "job-failed": 1, "job-queued": 1}


@pytest.mark.parametrize(
    ("query", "theirs"),
    [
        (JobQuery(status=frozenset({"job-failed"})), {"term": {"status": "job-failed"}}),
        (JobQuery(tag=frozenset({"nightly"})), {"term": {"job.tag": "nightly"}}),
        (JobQuery(user=frozenset({"ada", "bob"})), {"terms": {"job.username": ["ada", "bob"]}}),
        (JobQuery(where=(Where("params.level", How.IS, "4"),)), {"term": {"job.params.level": "4"}}),
        (
            JobQuery(where=(Where("params.input.url", How.PREFIX, "s3://b"),)),
            {"prefix": {"job.params.input.url": "s3://b"}},
        ),
        (JobQuery(where=(Where("params.fast"),)), {"exists": {"field": "job.params.fast"}}),
        (JobQuery(), {"match_all": {}}),
    ],
    ids=["status", "tag", "user", "value", "prefix", "exists", "all"],
)
def test_client_plain_requests_and_our_own_question_give_the_same_rows(
    cluster: _Cluster, query: JobQuery, theirs: dict[str, Any]
) -> None:
    """The same documents: what `hysds jobs` asks, elasticsearch-py, and plain HTTP."""
    ours = [document["id"] for document in cluster.store.search(query).documents]

    by_client = {cluster.ids[name] for name in cluster.find(theirs)}
    request = urllib.request.Request(
        f"{cluster.node.url}/{cluster.prefix}job_status-current/_search",
        json.dumps({"query": theirs}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        by_http = {hit["_source"]["id"] for hit in json.load(answer)["hits"]["hits"]}

    assert set(ours) == by_client == by_http
    assert ours
