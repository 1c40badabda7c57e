"""Odd documents, odd questions and odd clocks on the real server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hysds.adapters.store.elasticsearch.names import Names
from hysds.adapters.store.elasticsearch.server import Server
from hysds.adapters.store.elasticsearch.store import ElasticStore
from hysds.adapters.store.memory import MemoryStore
from hysds.bootstrap import System
from hysds.core.errors import HysdsError
from hysds.core.query import JobQuery
from hysds.lib import clocks
from hysds.ports.store import Store, Writing
from services.elastic_node import ElasticNode
from services.http_proxy import HttpProxy
from worlds.elastic_store import access
from worlds.searching import document, make_indices, numbers

Systems = Callable[..., System]

_HOUR_MS = 3_600_000


def _with_params(number: int, params: dict[str, object]) -> dict[str, object]:
    made = document(number)
    return {**made, "job": {**made["job"], "params": params}}


def test_a_document_of_five_megabytes_comes_back_and_is_found(straight: System) -> None:
    """It is written beside small ones, read back equal, and found by a word of its name."""
    large = _with_params(2, {"text": "lorem ipsum " * 420_000})
    answers = straight.store.write([document(1), large, document(3)])

    assert [one.how for one in answers] == [Writing.WRITTEN] * 3
    assert straight.store.get([large["id"]]) == (large,)
    straight.store.refresh()
    assert numbers(straight.store.search(JobQuery(text="count-2")).documents) == [2]


_PARAMS: tuple[dict[str, object], ...] = (
    {f"key {number}": number for number in range(10_000)},
    {"a": {"b": 1}, "a.b": {"c": 2}, "": "no name", ".": 1, "a..b": 2, "x.": 3},
    {"deep": [[[[{"k": [1, "1", None, True]}]]]]},
    {"long": "x" * 40_000, "y" * 600: 1, "\0": "\0", "ключ": "значение", "💥": "💥"},
    {"nest": "{" * 200, "quote": '"\\"', "number": 10**30, "small": 1e-320, "negative zero": -0.0},
)


def test_what_users_choose_as_params_loses_no_job(straight: System) -> None:
    """Whatever keys and values a payload has, its document is written, comes back equal and is found by its status."""
    odd = [_with_params(number, params) for number, params in enumerate(_PARAMS)]

    assert [one.how for one in straight.store.write(odd)] == [Writing.WRITTEN] * len(odd)
    assert straight.store.get([one["id"] for one in odd]) == tuple(odd)
    straight.store.refresh()
    assert sorted(numbers(straight.store.search(JobQuery(status=frozenset({"job-queued"}))).documents)) == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_fields_of_another_kind_than_the_mapping_are_one_documents_trouble(straight: System) -> None:
    """Where an object is mapped comes a text, where a date a word: what can't be kept is refused with the field's name,
    the rest comes back as it was, and the sound one among them is written.
    """
    odd = [
        document(1, event="plain text"),
        document(2, **{"@timestamp": "yesterday"}),
        document(3, tags={"an": "object"}),
        document(4, traceback=[{"a": 1}]),
        document(5),
    ]

    answers = straight.store.write(odd)

    assert answers[4].how is Writing.WRITTEN
    held = straight.store.get([one["id"] for one in odd])
    for one, answer, kept, field in zip(
        odd, answers, held, ("event", "@timestamp", "tags", "traceback", ""), strict=True
    ):
        assert (kept == one and answer.how is Writing.WRITTEN) or (
            answer.how is Writing.REFUSED and field in answer.reason
        )


_TEXTS = (
    *(
        '"',
        "*",
        "?",
        "a*",
        "count-?",
        "*:*",
        "status:job-queued",
        "NOT a",
        "a AND b",
        "(",
        "\\",
        "/.*/",
        "~2",
        "{}",
        "%",
    ),
    *(
        "ÅNGSTRÖM",
        "ångström",
        "straße",
        "STRASSE",
        "日本",
        "日本語",
        "💥",
        "e\u0301",
        "é",
        "\u200b",
        "ﬁ",
        "ﬁle",
        "İ",
    ),
    *("count 1", " ", "", "x" * 5_000),
)


def test_a_question_means_what_its_letters_say(straight: System) -> None:
    """Quotes, wildcards, operators and foreign letters: each answer, or refusal, is the reference's."""
    named = [
        "count-1",
        'say "a" AND b',
        "Ångström *",
        "straße (x)",
        "日本語 💥",
        "e\u0301 ﬁle",
        "status:job-queued {}",
        "İx",
    ]
    documents = [
        {**document(at), "tags": [name], "job": {**document(at)["job"], "name": name}}
        for at, name in enumerate(named)
    ]
    reference = MemoryStore()
    for store in (reference, straight.store):
        store.write(documents)
        store.refresh()

    for text in (*_TEXTS, *named):
        for key, value in (("text", text), ("tag", frozenset({text}))):
            expected, answer = (_said(store, {key: value}) for store in (reference, straight.store))
            assert expected == answer, (key, text)


def _said(store: Store, query: dict[str, Any]) -> object:
    try:
        page = store.search(JobQuery(**query))
    except HysdsError as refusal:
        return str(refusal)
    return numbers(page.documents), page.total


def test_pages_go_on_behind_any_window(
    straight: System, new_system: Systems, proxy: HttpProxy, elastic_server: ElasticNode, index_prefix: str
) -> None:
    """Jobs written while somebody pages neither repeat nor hide others; no page counts from the start, so the server's
    bound on that does not matter.
    """
    straight.store.write([document(number) for number in range(600)])
    straight.store.refresh()
    window = {"index.max_result_window": 60}
    elastic_server.request("PUT", f"/{index_prefix}job_status-*/_settings", window)
    reader = new_system(proxy.url).store

    seen, cursor = [], ""
    while True:
        page = reader.search(JobQuery(limit=50, cursor=cursor))
        seen += numbers(page.documents)
        cursor = page.cursor
        straight.store.write([document(1000 + len(seen))])  # newer than all
        straight.store.refresh()
        if not cursor:
            break

    assert seen == list(range(599, -1, -1))
    assert all(b'"from"' not in asked.body for asked in proxy.asked("_search"))


@pytest.mark.parametrize("hours", [-7, 7])
def test_a_host_whose_clock_is_hours_off_harms_nothing(
    straight: System, elastic_server: ElasticNode, index_prefix: str, hours: int
) -> None:
    """Its writes are as new as their revisions, and what it deletes stays deleted, whatever time it believes it is."""
    odd = ElasticStore(
        Server(access(elastic_server)), Names(index_prefix), lambda: clocks.wall_ms() + hours * _HOUR_MS
    )
    right = straight.store
    right.write([document(1, 5), document(2, 5)])

    assert [one.how for one in odd.write([document(1, 4), document(2, 6)])] == [
        Writing.OLDER,
        Writing.WRITTEN,
    ]
    assert odd.delete([(document(1)["id"], 5)]) == (True,)
    right.delete([(document(3)["id"], 9)])
    odd.delete([(document(4)["id"], 9)])  # it takes away fences whose time it believes is over

    late = right.write([document(1, 5), document(3, 9), document(4, 9)])
    assert [one.how for one in late] == [Writing.OLDER] * 3
    assert numbers(right.get([document(number)["id"] for number in (1, 2, 3, 4)])) == [None, 2, None, None]
    odd.close()


def test_an_index_that_somebody_else_made_is_told(
    new_system: Systems, elastic_server: ElasticNode, bare_prefix: str
) -> None:
    """Under our name stands an index whose fields are of other kinds: that is said, and no document is lost in it."""
    mapping = {"mappings": {"properties": {"searched": {"type": "keyword"}, "status": {"type": "date"}}}}
    elastic_server.request("PUT", f"/{bare_prefix}job_status-000001", mapping)
    system = new_system(index_prefix=bare_prefix)

    with pytest.raises(HysdsError, match="job_status-000001"):
        make_indices(system)
    with pytest.raises(HysdsError):
        system.store.write([document(1)])
