"""Many writes in one request, and facets of many values, against a scripted server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hysds.adapters.store.elasticsearch import bulk
from hysds.adapters.store.elasticsearch.bulk import MOST_BYTES, MOST_ITEMS, Bulk, Item
from hysds.adapters.store.elasticsearch.names import Names
from hysds.adapters.store.elasticsearch.server import Access, Busy, Server
from hysds.adapters.store.elasticsearch.store import ElasticStore
from hysds.core.errors import NotInitialised, Unreachable
from hysds.core.query import JobQuery
from hysds.core.searched import Term
from hysds.lib.transport_retry import Persistence

_NOWHERE = Access((("127.0.0.1", 1),), False, "", None, None, None, 1.0)
Said = dict[str, Any]


class _Scripted(Server):
    """Answers as the script says, and keeps what was asked."""

    def __init__(self, script: Callable[[str, Any], Any]) -> None:
        super().__init__(_NOWHERE, Persistence(attempts=3, first_wait_s=0, longest_wait_s=0))
        self._script = script
        self.asked: list[tuple[str, Any]] = []

    def ask_once(
        self, method: str, path: str, body: object = None, params: Mapping[str, str] | None = None
    ) -> Any:
        self.asked.append((path, body))
        return self._script(path, body)


def _item(number: int, size: int = 10) -> Item:
    return bulk.index("x-write", f"id-{number}", number + 1, b"s" * size)


def _said(number: int, status: int, kind: str = "", why: str = "") -> Said:
    error = {"error": {"type": kind, "reason": why}} if status >= 300 else {}
    return {"index": {"_id": f"id-{number}", "status": status, **error}}


def _written(path: str, body: bytes) -> Said:
    return {"items": [_said(0, 201) for _ in range(body.count(b"\n") // 2)]}


def test_a_request_has_bounded_items_and_bytes() -> None:
    """A thousand, or eight megabytes; one that is larger goes alone."""
    server = _Scripted(_written)

    Bulk(server).send([_item(number) for number in range(MOST_ITEMS + 1)])
    Bulk(server).send(
        [_item(0, MOST_BYTES + 1), _item(1), _item(2, MOST_BYTES // 2), _item(3, MOST_BYTES // 2)]
    )

    sent = [body.count(b"\n") // 2 for _, body in server.asked]
    assert sent == [MOST_ITEMS, 1, 1, 2, 1]


def test_an_item_that_fails_beside_others_that_do_not_is_refused() -> None:
    """A document that breaks the server each time must not hold up all others for ever."""
    server = _Scripted(
        lambda _, body: {
            "items": [_said(0, 500, "broken", "why") if b"id-1" in line else _said(0, 201)
                      for line in body.splitlines()[::2]]
        }
    )  # fmt: skip

    first, second = Bulk(server).send([_item(0), _item(1)])

    assert (first.is_good, second.status, second.reason) == (True, 500, "why")
    assert len(server.asked) == 3


def test_an_index_that_fails_beside_another_that_does_not_is_away() -> None:
    """Its shard may be broken: none of its documents is at fault, and all come again."""
    server = _Scripted(
        lambda _, body: {
            "items": [_said(0, 500, "broken") if b"y-write" in line else _said(0, 201)
                      for line in body.splitlines()[::2]]
        }
    )  # fmt: skip

    with pytest.raises(Busy):
        Bulk(server).send(
            [_item(0), bulk.index("y-write", "id-1", 1, b"s"), bulk.index("y-write", "id-2", 1, b"s")]
        )


def test_a_server_that_fails_on_everything_is_away() -> None:
    """Then no document is at fault."""
    server = _Scripted(lambda _, body: {"items": [_said(0, 500), _said(1, 500)]})

    with pytest.raises(Busy):
        Bulk(server).send([_item(0), _item(1)])


@pytest.mark.parametrize(
    ("item", "error"),
    [
        (_said(0, 404, "index_not_found_exception", "no such index"), NotInitialised),
        (_said(0, 403, "security_exception", "not allowed"), Unreachable),
    ],
    ids=["missing", "forbidden"],
)
def test_what_one_item_says_of_the_whole_store_is_no_refusal(item: Said, error: type[Exception]) -> None:
    """All of the batch comes again."""
    with pytest.raises(error):
        Bulk(_Scripted(lambda _, body: {"items": [item]})).send([_item(0)])


@pytest.mark.parametrize(
    ("reason", "held"),
    [
        ("[a]: version conflict, current version [7] is higher or equal to the one provided [5]", 7),
        ("[current version [1]]: version conflict, current version [8] is higher or equal to the one", 8),
        ("in words of another version", 0),
    ],
)
def test_the_held_revision_is_read_from_the_servers_words(reason: str, held: int) -> None:
    """Whatever an id looks like; 0 where it does not say, and it is looked up then."""
    server = _Scripted(
        lambda _, body: {"items": [_said(0, 409, "version_conflict_engine_exception", reason)]}
    )

    [answer] = Bulk(server).send([_item(0)])

    assert (answer.is_older, answer.held) == (True, held)


def test_a_facet_of_too_many_values_is_counted_over_all_of_them() -> None:
    """Where the server says that its counts may be wrong, every value is asked for, page by page."""
    pages = {
        None: {"buckets": [_bucket("a", 2), _bucket("", 9)], "after_key": {"value": "a"}},
        "a": {"buckets": [_bucket("b", 5), _bucket("c", 2)], "after_key": {"value": "c"}},
        "c": {"buckets": []},
    }

    def script(path: str, body: Any) -> Said:
        if "all" in body["aggs"]:
            after = body["aggs"]["all"]["composite"].get("after", {}).get("value")
            return {"aggregations": {"all": pages[after]}}
        rough = {"doc_count_error_upper_bound": 3, "buckets": [{"key": "c", "doc_count": 1}]}
        return {"hits": {"hits": [], "total": {"value": 18}}, "aggregations": {"parent": rough}}

    page = ElasticStore(_Scripted(script), Names()).search(JobQuery(limit=0, facets=(Term.PARENT,)))

    assert page.counts == {Term.PARENT: (("b", 5), ("a", 2), ("c", 2))}


def _bucket(value: str, count: int) -> Said:
    return {"key": {"value": value}, "doc_count": count}
