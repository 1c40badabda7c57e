"""A `JobQuery` in Elasticsearch's query language, over `searched` alone: filters, sorts, and where a page begins.

All names come from closed sets of `core.searched`; all values stand as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hysds.adapters.store.elasticsearch.bodies import leaf
from hysds.core.query import MAX_COUNTED, JobQuery, Span
from hysds.core.searched import Term
from hysds.core.where import How, Where

Body = dict[str, Any]

_MOST_VALUES = 50_000  # of one condition; the server's own bound is 65,536
_SHARD_SIZE = 10_000
"""Values of a facet that each index tells of: with less than so many, counts are exact at once."""


def page(query: JobQuery) -> Body:
    """The page's documents, and one more where another page follows; the facets."""
    return {**_asked(query), "aggs": {term.value: facet(term) for term in query.facets}}


def places(query: JobQuery) -> Body:
    """The page's statuses, and one more where another page follows; no document is read."""
    return {**_asked(query), "_source": False, "docvalue_fields": [f"searched.{Term.STATUS}"]}


def _asked(query: JobQuery) -> Body:
    order = "desc" if query.descending else "asc"
    body: Body = {
        "query": wanted(query),
        "sort": [{f"searched.{query.sort.value}": order}, {"searched.id": order}],
        "size": query.limit + 1 if query.limit else 0,
        "track_total_hits": True,
    }
    after = query.after()
    if after is not None and query.limit:
        body["search_after"] = list(after)
    return body


def wanted(query: JobQuery) -> Body:
    """The condition of what matches."""
    conditions = [_any(f"searched.{term.value}", values) for term, values in query.terms().items()]
    for name, span in (("accepted", query.accepted), ("ended", query.ended)):
        if not span.is_open:
            conditions.append({"range": {f"searched.{name}": _within(span)}})
    conditions += [{"term": {"searched.words": word}} for word in query.words()]
    conditions += [_where(one) for one in query.where]
    return {"bool": {"filter": conditions}} if conditions else {"match_all": {}}


def facet(term: Term) -> Body:
    """The values of a term with most jobs."""
    return {
        "terms": {
            "field": f"searched.{term.value}",
            "exclude": [""],
            "size": MAX_COUNTED,
            "shard_size": _SHARD_SIZE,
        }
    }


def all_values(query: JobQuery, term: Term, after: Mapping[str, Any] | None) -> Body:
    """A part of all values of a term with their counts, in their order."""
    composite: Body = {
        "size": _SHARD_SIZE,
        "sources": [{"value": {"terms": {"field": f"searched.{term.value}"}}}],
    }
    if after is not None:
        composite["after"] = after
    return {"query": wanted(query), "size": 0, "aggs": {"all": {"composite": composite}}}


def _any(field: str, values: Iterable[str]) -> Body:
    listed = sorted(values)
    parts = [{"terms": {field: listed[at : at + _MOST_VALUES]}} for at in range(0, len(listed), _MOST_VALUES)]
    return parts[0] if len(parts) == 1 else {"bool": {"should": parts, "minimum_should_match": 1}}


def _within(span: Span) -> Body:
    """A time of 0, none, lies in no span."""
    least = max(span.from_ms if span.from_ms is not None else 1, 1)
    return {"gte": least} | ({"lt": span.to_ms} if span.to_ms is not None else {})


def _where(where: Where) -> Body:
    token = leaf(where.leaf, where.value)
    return {"term" if where.how is How.IS else "prefix": {"searched.leaves": token}}
