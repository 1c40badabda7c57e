"""The store in Elasticsearch: a document lies in the index of the generation that its job was born in.

The version of a document is its job's revision, so the server itself keeps what is older from what is newer. A deleted
document leaves a fence in its place, a document that no reader finds, for FENCE_MS: the server's own memory of deletes
does not outlive its restart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hysds.adapters.store.elasticsearch import bodies, bulk, lives, questions, searching
from hysds.adapters.store.elasticsearch.bulk import Answer, Bulk
from hysds.adapters.store.elasticsearch.letters import Letters
from hysds.adapters.store.elasticsearch.lives import Lives
from hysds.adapters.store.elasticsearch.lookup import Held, Lookup
from hysds.adapters.store.elasticsearch.names import JOBS, Names, generation_of, key, resource_of
from hysds.adapters.store.elasticsearch.server import Server
from hysds.core.errors import Refused
from hysds.core.query import MAX_COUNTED, JobQuery
from hysds.core.searched import Sealed, Term, seal
from hysds.lib import clocks
from hysds.ports.indices import Resource
from hysds.ports.store import FENCE_MS, DeadLetter, Document, Found, Page, Writing, Written

_SWEPT = 1_000
_NONE: Mapping[str, Any] = {"buckets": ()}


class ElasticStore:
    """A store in one cluster. `wall_ms`: the wall clock.

    Raises, at every call: Unreachable for a server that can't hold it, too.
    """

    def __init__(self, server: Server, names: Names, wall_ms: Callable[[], int] = clocks.wall_ms) -> None:
        self._server = server
        self._names = names
        self._wall_ms = wall_ms
        self._bulk = Bulk(server)
        self._lookup = Lookup(server, names)
        self._letters = Letters(server, names)
        self._lives = Lives(self._bulk, self._lookup, wall_ms)

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        sealed = [_sealed(document) for document in documents]
        sent = [
            (document, one)
            for document, one in zip(documents, sealed, strict=True)
            if isinstance(one, Sealed)
        ]
        told = iter(self._written(sent))
        return tuple(
            Written(Writing.REFUSED, reason=one) if isinstance(one, str) else next(told) for one in sealed
        )

    def get(self, ids: Sequence[str]) -> tuple[dict[str, Any] | None, ...]:
        held = self._lookup.held(ids, with_source=True)
        return tuple(
            bodies.restored(one.source) if (one := held.get(id_)) and one.source else None for id_ in ids
        )

    def search(self, query: JobQuery) -> Page:
        said = self._search(questions.page(query))
        hits, total = said["hits"]["hits"], said["hits"]["total"]["value"]
        page = hits[: query.limit]
        counted = said.get("aggregations", {})  # none where no index is
        counts = {term: self._counts(query, term, counted.get(term.value, _NONE)) for term in query.facets}
        documents = tuple(bodies.restored(hit["_source"]) for hit in page)
        return Page(documents, _cursor(query, page, hits), total, counts)

    def find(self, query: JobQuery) -> Found:
        said = self._search(questions.places(query))
        hits, total = said["hits"]["hits"], said["hits"]["total"]["value"]
        page = hits[: query.limit]
        jobs = tuple((hit["sort"][1], hit["fields"][f"searched.{Term.STATUS}"][0]) for hit in page)
        return Found(jobs, _cursor(query, page, hits), total)

    def delete(self, wanted: Sequence[tuple[str, int]]) -> tuple[bool, ...]:
        if not wanted:
            return ()
        held = self._lookup.held([id_ for id_, _ in wanted])
        now_ms = self._wall_ms()
        fences = [
            fence for id_, revision in wanted for fence in self._fences(id_, revision, held.get(id_), now_ms)
        ]
        self._bulk.send(fences)
        self._letters.delete(wanted)
        self._sweep(now_ms - FENCE_MS)
        return tuple(
            (one := held.get(id_)) is not None and not one.is_fence and one.revision <= revision
            for id_, revision in wanted
        )

    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        self._letters.set_aside(letters, self._lookup)

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        return self._letters.newest(limit, self._lookup)

    def refresh(self) -> None:
        """Every index of jobs, tasks and letters."""
        which = self._names.readings(*JOBS, Resource.DEAD_LETTER)
        self._server.ask("POST", f"/{which}/_refresh", params={"ignore_unavailable": "true"})

    def describe(self) -> str:
        return f"{self._server.access.where}/{self._names.readings(*JOBS)}"

    def close(self) -> None:
        self._server.close()

    def _written(self, sent: Sequence[tuple[Document, Sealed]]) -> list[Written]:
        answers = self._bulk.send([self._item(document, one, bodies.source) for document, one in sent])
        # An odd key that a user chose is no reason to lose a job: only that part is not indexed then.
        odd = [at for at, answer in enumerate(answers) if answer.status == 400]
        again = self._bulk.send([self._item(*sent[at], bodies.plain_source) for at in odd])
        for at, answer in zip(odd, again, strict=True):
            answers[at] = answer
        self._lives.settle([(self._index(document), one) for document, one in sent], answers)
        unsaid = [
            one.id
            for (_, one), answer in zip(sent, answers, strict=True)
            if answer.is_older and not answer.held
        ]
        held = self._lookup.held(unsaid) if unsaid else {}
        return [_told(one, answer, held) for (_, one), answer in zip(sent, answers, strict=True)]

    def _item(
        self, document: Document, sealed: Sealed, source: Callable[[Document, Sealed, Resource], bytes]
    ) -> bulk.Item:
        body = source(document, sealed, resource_of(document))
        return bulk.index(f"{self._index(document)}-write", key(sealed.id), sealed.revision, body)

    def _index(self, document: Document) -> str:
        return self._names.index(resource_of(document), generation_of(document))

    def _fences(self, id_: str, revision: int, held: Held | None, now_ms: int) -> list[bulk.Item]:
        """What stands where the document was, or where a late one would be written: in any index, if it is in none."""
        where = [held.index] if held is not None else self._lookup.indices()
        return [lives.fence(index, id_, revision, now_ms) for index in where]

    def _sweep(self, before_ms: int) -> None:
        """Take away fences that nobody needs any more."""
        # Not through the alias of readers, which hides them.
        said = self._server.ask(
            "POST",
            f"/{self._names.patterns(*JOBS)}/_search",
            {
                "query": {"range": {"searched.fence": {"lt": before_ms}}},
                "size": _SWEPT,
                "_source": False,
                "version": True,
            },
            {"ignore_unavailable": "true", "allow_no_indices": "true"},
        )
        old = [
            bulk.delete(hit["_index"], hit["_id"], hit["_version"])
            for hit in said["hits"]["hits"]
            if self._names.of_index(hit["_index"])
        ]
        if old:
            self._bulk.send(old)

    def _search(self, body: dict[str, Any]) -> Any:
        return searching.asked(self._server, self._names.readings(*JOBS), body)

    def _counts(self, query: JobQuery, term: Term, said: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
        if not said.get("doc_count_error_upper_bound"):
            return tuple((bucket["key"], bucket["doc_count"]) for bucket in said["buckets"])
        counts: dict[str, int] = {}
        after = None
        while True:
            page = self._search(questions.all_values(query, term, after))
            part = page.get("aggregations", {}).get("all", _NONE)
            counts |= {
                one["key"]["value"]: one["doc_count"] for one in part["buckets"] if one["key"]["value"]
            }
            after = part.get("after_key")
            if after is None:
                break
        return tuple(sorted(counts.items(), key=lambda count: (-count[1], count[0]))[:MAX_COUNTED])


def _sealed(document: Document) -> Sealed | str:
    """The document as it is kept, or why it can't be."""
    try:
        return seal(document)
    except Refused as refusal:
        return str(refusal)


def _cursor(query: JobQuery, page: Sequence[dict[str, Any]], hits: Sequence[dict[str, Any]]) -> str:
    return query.cursor_at(*page[-1]["sort"]) if len(hits) > len(page) else ""


def _told(sealed: Sealed, answer: Answer, held: dict[str, Held]) -> Written:
    if answer.is_good:
        return Written(Writing.WRITTEN, sealed.revision)
    if answer.is_older:
        known = answer.held or (held[sealed.id].revision if sealed.id in held else sealed.revision)
        return Written(Writing.OLDER, known)
    return Written(Writing.REFUSED, reason=f"Elasticsearch: {answer.kind}: {answer.reason}")
