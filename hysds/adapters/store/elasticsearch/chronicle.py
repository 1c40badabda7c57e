"""What happens beside jobs, in Elasticsearch: events by generation, workers in one index for ever.

The version of a document is when it happened, in ms, so the latest of one id stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hysds.adapters.store.elasticsearch import bodies, bulk, searching
from hysds.adapters.store.elasticsearch.bulk import Answer, Bulk
from hysds.adapters.store.elasticsearch.names import Names, generation_of, key
from hysds.adapters.store.elasticsearch.server import Server
from hysds.core import chronicle_query
from hysds.core.chronicle_query import cursor_at
from hysds.ports.chronicle import ChroniclePage, ChronicleQuery, Document, Written
from hysds.ports.indices import Resource
from hysds.ports.store import Writing

_DELETED = 1_000
"""Documents of one request."""
_Body = dict[str, Any]


class ElasticChronicle:
    """A chronicle in one cluster. `search` and `delete_before` may not know what was written within the last second."""

    def __init__(self, server: Server, names: Names) -> None:
        self._server = server
        self._names = names
        self._bulk = Bulk(server)

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        """Raises: NotInitialised"""
        reasons = [chronicle_query.objection(document) for document in documents]
        good = [document for document, reason in zip(documents, reasons, strict=True) if not reason]
        told = iter(self._written(good))
        return tuple(Written(Writing.REFUSED, reason=reason) if reason else next(told) for reason in reasons)

    def search(self, query: ChronicleQuery) -> ChroniclePage:
        said = self._ask(Resource(query.resource), _asked(query))
        hits = said["hits"]["hits"]
        page = hits[: query.limit]
        cursor = cursor_at(*page[-1]["sort"]) if page and len(hits) > len(page) else ""
        documents = tuple(bodies.restored(hit["_source"]) for hit in page)
        return ChroniclePage(documents, cursor, said["hits"]["total"]["value"])

    def delete_before(self, resource: str, ms: int) -> int:
        body = {
            "query": {"range": {"searched.revision": {"lt": ms}}},
            "sort": [{"searched.revision": "asc"}, {"searched.id": "asc"}],
            "size": _DELETED,
            "_source": False,
            "version": True,
        }
        deleted, after = 0, None
        while True:
            hits = self._ask(Resource(resource), {**body, **({"search_after": after} if after else {})})[
                "hits"
            ]["hits"]
            # What somebody else put behind our alias is not ours to delete.
            ours = [hit for hit in hits if self._names.of_index(hit["_index"])]
            items = [bulk.delete(hit["_index"], hit["_id"], hit["_version"]) for hit in ours]
            deleted += sum(answer.result == "deleted" for answer in self._bulk.send(items))
            if len(hits) < _DELETED:
                return deleted
            after = hits[-1]["sort"]

    def close(self) -> None:
        self._server.close()

    def _written(self, documents: Sequence[Document]) -> list[Written]:
        answers = self._bulk.send([self._item(document, bodies.happened) for document in documents])
        odd = [at for at, answer in enumerate(answers) if answer.status == 400]
        again = self._bulk.send([self._item(documents[at], bodies.plain_happened) for at in odd])
        for at, answer in zip(odd, again, strict=True):
            answers[at] = answer
        return [_told(document, answer) for document, answer in zip(documents, answers, strict=True)]

    def _item(
        self, document: Document, source: Callable[[Document, Mapping[str, Any], Resource], bytes]
    ) -> bulk.Item:
        resource = Resource(document["resource"])
        alias = self._names.writing(resource, generation_of(document))
        sent = source(document, _searched(document), resource)
        return bulk.index(alias, key(document["id"]), document["revision"], sent)

    def _ask(self, resource: Resource, body: _Body) -> Any:
        return searching.asked(self._server, self._names.reading(resource), body)


def _searched(document: Document) -> dict[str, Any]:
    return {
        "id": document["id"],
        "type": str(document.get("type", "")),
        "hostname": chronicle_query.hostname(document),
        "revision": document["revision"],
    }


def _asked(query: ChronicleQuery) -> _Body:
    body: _Body = {
        "query": {"bool": {"filter": _conditions(query)}},
        "sort": [{"searched.revision": "desc"}, {"searched.id": "desc"}],
        "size": query.limit + 1 if query.limit else 0,
        "track_total_hits": True,
    }
    after = query.after()
    if after is not None and query.limit:
        body["search_after"] = list(after)
    return body


def _conditions(query: ChronicleQuery) -> list[_Body]:
    conditions: list[_Body] = []
    if query.types:
        types: list[_Body] = [{"terms": {"searched.type": list(query.exact_types)}}]
        types += [{"prefix": {"searched.type": prefix}} for prefix in query.type_prefixes]
        conditions.append({"bool": {"should": types, "minimum_should_match": 1}})
    if query.hostname:
        conditions.append({"term": {"searched.hostname": query.hostname}})
    if query.since_ms is not None or query.until_ms is not None:
        bounds = {"gte": query.since_ms, "lt": query.until_ms}
        conditions.append(
            {"range": {"searched.revision": {name: ms for name, ms in bounds.items() if ms is not None}}}
        )
    return conditions


def _told(document: Document, answer: Answer) -> Written:
    if answer.is_good:
        return Written(Writing.WRITTEN, document["revision"])
    if answer.is_older:
        return Written(Writing.OLDER, answer.held or document["revision"])
    return Written(Writing.REFUSED, reason=f"Elasticsearch: {answer.kind}: {answer.reason}")
