"""The queries of dashboards and saved objects, as Grafana and Kibana would send them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIGS = Path(__file__).parents[2] / "configs"
_LATELY = {"range": {"@timestamp": {"gte": "now-6h", "lte": "now"}}}
_INTERVAL = {"fixed_interval": "30s"}
_RATE = "30s"


@dataclass(frozen=True, slots=True)
class Search:
    """A question to an index. `metrics`: names of the numbers that each of its rows must have."""

    title: str
    index: str
    body: Mapping[str, Any]
    metrics: tuple[str, ...] = ()

    def rows(self, answer: Mapping[str, Any]) -> int:
        """How many an Elasticsearch's answer has: hits, or innermost buckets with all their numbers."""
        if self.body["size"]:
            return len(answer["hits"]["hits"])
        return sum(1 for _ in _innermost(answer["aggregations"], self.metrics))


def dashboard(name: str) -> dict[str, Any]:
    """One of Grafana's."""
    found: dict[str, Any] = json.loads((CONFIGS / "grafana" / f"{name}.json").read_text())
    return found


def expressions(board: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Title and PromQL of each target over the whole of a range, variables set to all; and those of variables."""
    found = []
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            found.append((panel["title"], f"({_substituted(target['expr'])})[10m:250ms]"))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            [(metric, label)] = re.findall(r"^label_values\((\w+), (\w+)\)$", variable["definition"])
            found.append((variable["name"], f"group by ({label}) ({metric})"))
    return found


def _substituted(expression: str) -> str:
    """As Grafana does with variables of which all values are chosen."""
    expression = expression.replace("$__rate_interval", _RATE)
    return re.sub(r"\$\w+", ".*", expression)


def grafana_searches(board: Mapping[str, Any]) -> list[Search]:
    """One a target."""
    indices = {
        f"${{{one['name']}}}": one["current"]["value"]
        for one in board["templating"]["list"]
        if one["type"] == "datasource"
    }
    return [
        _grafana_search(panel["title"], indices[target["datasource"]["uid"]], target)
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]


def _grafana_search(title: str, index: str, target: Mapping[str, Any]) -> Search:
    query = _query(target["query"])
    kinds = [metric["type"] for metric in target["metrics"]]
    if kinds == ["raw_data"]:
        size = int(target["metrics"][0]["settings"]["size"])
        return Search(title, index, {"size": size, "query": query, "sort": [{"@timestamp": "desc"}]})
    numbers = {
        f"m{metric['id']}": _metric(metric["type"], metric["field"], metric.get("settings", {}))
        for metric in target["metrics"]
        if metric["type"] != "count"
    }
    levels = [_buckets(one["type"], one["field"], one["settings"]) for one in target["bucketAggs"]]
    return Search(title, index, {"size": 0, "query": query, "aggs": _nested(levels, numbers)}, tuple(numbers))


def kibana_objects() -> list[dict[str, Any]]:
    """All that Kibana would import."""
    return [json.loads(line) for line in (CONFIGS / "kibana" / "hysds.ndjson").read_text().splitlines()]


def kibana_searches(objects: Sequence[Mapping[str, Any]]) -> list[Search]:
    """One a saved search and a visualization."""
    patterns = {one["id"]: one["attributes"]["title"] for one in objects if one["type"] == "index-pattern"}
    return [
        _kibana_search(one, patterns[one["references"][0]["id"]])
        for one in objects
        if one["type"] in ("search", "visualization")
    ]


def _kibana_search(one: Mapping[str, Any], index: str) -> Search:
    of = one["attributes"]
    source = json.loads(of["kibanaSavedObjectMeta"]["searchSourceJSON"])
    query = _query(source["query"]["query"])
    if one["type"] == "search":
        sort = [{field: order} for field, order in of["sort"]]
        return Search(of["title"], index, {"size": 500, "query": query, "sort": sort})
    aggs = json.loads(of["visState"])["aggs"]
    numbers = {
        f"m{agg['id']}": _metric(agg["type"], agg["params"]["field"], agg["params"])
        for agg in aggs
        if agg["schema"] == "metric" and agg["type"] != "count"
    }
    levels = [
        _buckets(agg["type"], agg["params"]["field"], agg["params"])
        for agg in aggs
        if agg["schema"] != "metric"
    ]
    body = {"size": 0, "query": query, "aggs": _nested(levels, numbers)}
    return Search(of["title"], index, body, tuple(numbers))


def _query(lucene: str) -> dict[str, Any]:
    return {"bool": {"filter": [_LATELY, {"query_string": {"analyze_wildcard": True, "query": lucene}}]}}


def _metric(kind: str, field: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "percentiles":
        return {kind: {"field": field, "percents": [float(one) for one in settings["percents"]]}}
    return {kind: {"field": field}}


def _buckets(kind: str, field: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "date_histogram":
        return {kind: {"field": field, "min_doc_count": 1, **_INTERVAL}}
    assert kind == "terms", f"no test knows how {kind} is asked"
    return {kind: {"field": field, "size": int(settings["size"])}}


def _nested(levels: Sequence[Mapping[str, Any]], numbers: Mapping[str, Any]) -> dict[str, Any]:
    first, *others = levels
    inner = _nested(others, numbers) if others else dict(numbers)
    return {"level": {**first, "aggs": inner} if inner else dict(first)}


def _innermost(aggs: Mapping[str, Any], numbers: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for bucket in aggs["level"]["buckets"]:
        if "level" in bucket:
            yield from _innermost(bucket, numbers)
        elif bucket["doc_count"] and all(_has_value(bucket[name]) for name in numbers):
            yield bucket


def _has_value(number: Mapping[str, Any]) -> bool:
    values = number["values"].values() if "values" in number else [number["value"]]
    return all(value is not None for value in values)
