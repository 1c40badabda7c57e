"""Every store answers as `core.query.select` does: document for document, order, totals, cursors and counts."""

from __future__ import annotations

import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hysds.core import moments
from hysds.core.errors import Refused
from hysds.core.query import JobQuery, Span, select
from hysds.core.searched import Sort, Term, searched
from hysds.core.where import How, Where
from hysds.lib import clocks
from hysds.ports.store import Store, Writing
from worlds.elastic_store import ElasticWorld
from worlds.stores import LOCAL

_VALUES = st.sampled_from(["a", "b", "B", "ß", "Ω", "\uffff", "🦊", "a b", "%", "", "'", "\0"])
_WORDS = st.lists(st.sampled_from(["one", "two", "Three", "vier-5", "ß", "🦊", "ﬁve", "ΣΣ"]), max_size=4).map(
    " ".join
)
_MS = st.integers(1, 40)
_IDS = st.sampled_from([f"{number:08x}-0000-4000-8000-000000000000" for number in range(12)])


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    info: dict[str, Any] = {"job_queue": draw(_VALUES), "time_queued": moments.iso(draw(_MS))}
    if draw(st.booleans()):
        info |= {"time_start": moments.iso(draw(_MS)), "time_end": moments.iso(draw(_MS))}
        info["duration"] = draw(st.integers(0, 3000)) / 1000
    job = {"name": draw(_WORDS), "tag": draw(_VALUES), "username": draw(_VALUES)}
    return {
        "id": draw(_IDS),
        "revision": draw(st.integers(1, 9)),
        "status": draw(_VALUES),
        "type": draw(_VALUES),
        "celery_hostname": draw(_VALUES),
        "failure_class": draw(_VALUES),
        "parent": draw(_VALUES),
        "error": draw(_WORDS),
        "@timestamp": moments.iso(draw(_MS)),
        "job": {
            **job,
            "priority": draw(st.integers(0, 10)),
            "params": {"x": [draw(_WORDS)], draw(_KEYS): draw(_LEAVES)},
            "context": {draw(_KEYS): {"y": draw(_LEAVES)}},
            "job_info": info,
        },
    }


_KEYS = st.sampled_from(["x", "X", "x.y", "ß", "a b", '"', "\ue080", "\ue041", "A", "_", "\uffff"])
_TEXTS = st.sampled_from(
    [
        "",
        "a",
        "A",
        "ab",
        "a b",
        "aB",
        '"',
        '" OR "a',
        "*",
        "a*",
        "\ue041",
        "\ue080",
        "\ue081",
        "ß",
        "🦊",
        "\n",
        "1",
        "true",
    ]
)
_SINGLE = _TEXTS | st.integers(-2, 2) | st.sampled_from([1.0, 1e30, True, None])
_LEAVES = _SINGLE | st.lists(_SINGLE | st.dictionaries(_KEYS, _SINGLE, max_size=2), max_size=3)
_PATHS = st.builds("{}.{}".format, st.sampled_from(["params", "context"]), _KEYS) | st.builds(
    "context.{}.y".format, _KEYS
)
_WHERE = (
    st.builds(Where, _PATHS, st.just(How.IS), _TEXTS)
    | st.builds(Where, _PATHS, st.just(How.PREFIX), _TEXTS.filter(bool))
    | st.builds(Where, _PATHS)
)

_ASKED = st.frozensets(_VALUES.filter(bool), max_size=3)
_BOUND = st.none() | st.integers(-3, 50)
_SPANS = st.builds(Span, _BOUND, _BOUND)


@st.composite
def _queries(draw: st.DrawFn) -> JobQuery:
    asked = {term.value: draw(_ASKED) for term in draw(st.lists(st.sampled_from(Term), max_size=2))}
    return JobQuery(
        **asked,
        accepted=draw(_SPANS),
        ended=draw(st.just(Span()) | _SPANS),
        text=draw(st.sampled_from(["", "", "one", "TWO three", "5 vier", "ss", "five", "σσ", "absent"])),
        where=draw(st.just(()) | st.lists(_WHERE, min_size=1, max_size=2).map(tuple)),
        sort=draw(st.sampled_from(Sort)),
        descending=draw(st.booleans()),
        limit=draw(st.integers(0, 5)),
        facets=tuple(draw(st.lists(st.sampled_from(Term), max_size=3))),
    )


_BATCHES = st.lists(st.lists(_documents(), max_size=12), max_size=4)
_QUESTIONS = st.lists(_queries(), max_size=6)


@pytest.mark.parametrize("kind", LOCAL)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=_BATCHES, queries=_QUESTIONS)
def test_a_store_answers_as_the_reference_does(
    tmp_path: Path, kind: str, batches: list[list[dict[str, Any]]], queries: list[JobQuery]
) -> None:
    """Random writes, late, doubled and reordered ones among them, then random questions with all of their pages."""
    with closing(LOCAL[kind](tmp_path / uuid.uuid4().hex, clocks.wall_ms)) as store:
        _compare(store, batches, queries)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=_BATCHES, queries=_QUESTIONS)
def test_elasticsearch_answers_as_the_reference_does(
    elastic_world: ElasticWorld, batches: list[list[dict[str, Any]]], queries: list[JobQuery]
) -> None:
    """The same on a real server, whose empty store takes longer to make."""
    with closing(elastic_world.store()) as store:
        _compare(store, batches, queries)


def _compare(store: Store, batches: list[list[dict[str, Any]]], queries: list[JobQuery]) -> None:
    held: dict[str, dict[str, Any]] = {}
    for batch in batches:
        answers = store.write(batch)
        for document, answer in zip(batch, answers, strict=True):
            newer = document["revision"] > held.get(document["id"], {"revision": 0})["revision"]
            assert answer.how is (Writing.WRITTEN if newer else Writing.OLDER)
            if newer:
                held[document["id"]] = document
            assert answer.held == held[document["id"]]["revision"]

    jobs = [searched(document) for document in held.values()]
    for query in queries:
        _follow(store, query, held, jobs)


def _follow(store: Store, query: JobQuery, held: dict[str, dict[str, Any]], jobs: list[Any]) -> None:
    """Compare every page of a query."""
    while True:
        expected = select(query, jobs)
        page = store.search(query)

        assert list(page.documents) == [held[id_] for id_ in expected.ids]
        assert (page.total, page.cursor) == (expected.total, expected.cursor)
        assert page.counts == expected.counts
        found = store.find(query)
        assert found.jobs == tuple((id_, held[id_]["status"]) for id_ in expected.ids)
        assert (found.total, found.cursor) == (expected.total, expected.cursor)
        if not page.cursor:
            return
        query = _next(query, page.cursor)


def _next(query: JobQuery, cursor: str) -> JobQuery:
    values = {name: getattr(query, name) for name in query.__dataclass_fields__}
    return JobQuery(**{**values, "cursor": cursor})


@settings(max_examples=200, deadline=None)
@given(cursor=st.text(max_size=40))
def test_no_text_makes_a_cursor_fail_otherwise_than_refused(cursor: str) -> None:
    """Whatever is given as a cursor is either a place or refused."""
    try:
        query = JobQuery(cursor=cursor)
    except Refused:
        return
    assert select(query, []).ids == ()
