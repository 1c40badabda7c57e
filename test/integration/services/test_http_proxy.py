"""The proxy that stands between a client and Elasticsearch records truly, and harms what it is told to alone."""

from __future__ import annotations

import http.client
import json
import urllib.request
from urllib.error import HTTPError

import pytest

from services.elastic_node import ElasticNode
from services.http_proxy import Asked, Cut, Delay, HttpProxy, RefuseItems, Say, no_harm


def _bulk(prefix: str, count: int) -> bytes:
    lines = [({"index": {"_index": f"{prefix}a", "_id": str(n)}}, {"n": n}) for n in range(count)]
    return "".join(json.dumps(line) + "\n" for pair in lines for line in pair).encode()


def test_requests_pass_and_are_remembered(elastic_server: ElasticNode, index_prefix: str) -> None:
    """What comes reaches the server and its answer comes back; method, path, headers and body are kept."""
    with HttpProxy(elastic_server.url) as proxy:
        node = ElasticNode(proxy.url, "somebody", "secret")
        node.request("PUT", f"/{index_prefix}a/_doc/1", {"n": 1})

        assert node.search(f"{index_prefix}a") == [{"n": 1}]
    written = proxy.requests[0]
    assert (written.method, written.path) == ("PUT", f"/{index_prefix}a/_doc/1")
    assert written.headers["authorization"].startswith("Basic ")
    assert json.loads(written.body) == {"n": 1}


def test_chosen_requests_are_answered_delayed_or_cut(elastic_server: ElasticNode, index_prefix: str) -> None:
    """A test says what becomes of a request: an answer of its own, a later one, none, or none to what was done."""
    with HttpProxy(elastic_server.url) as proxy:
        node, document = ElasticNode(proxy.url), f"/{index_prefix}a/_doc/1"
        proxy.harm = lambda asked: Say(503, {"error": "busy"}) if asked.method == "PUT" else None
        with pytest.raises(HTTPError) as busy:
            node.request("PUT", document, {"n": 1})
        with busy.value:
            assert (busy.value.code, json.load(busy.value)) == (503, {"error": "busy"})

        for harm in (Cut(), Cut(is_done=True)):
            proxy.harm = lambda asked, harm=harm: harm if asked.method == "PUT" else None  # type: ignore[misc]
            with pytest.raises((OSError, http.client.HTTPException)):
                node.request("PUT", document, {"n": 2})
            assert node.search(f"{index_prefix}*") == ([{"n": 2}] if harm.is_done else [])

        proxy.harm = lambda _: Delay(0.01)
        assert node.request("GET", document)["_source"] == {"n": 2}


def test_part_of_a_bulk_is_refused(elastic_server: ElasticNode, index_prefix: str) -> None:
    """Chosen items never reach the server, and are answered in their places; the others are done."""
    with HttpProxy(elastic_server.url) as proxy:
        node = ElasticNode(proxy.url)
        proxy.harm = lambda _: RefuseItems(lambda place: place % 2 == 1, 503, "unavailable_shards_exception")
        told = node.request("POST", "/_bulk", _bulk(index_prefix, 4))
        proxy.harm = lambda _: RefuseItems(lambda _: True)
        none = node.request("POST", "/_bulk", _bulk(index_prefix, 2))
        proxy.harm = no_harm

        assert [item["index"]["status"] for item in told["items"]] == [201, 503, 201, 503]
        assert [item["index"]["_id"] for item in told["items"]] == ["0", "1", "2", "3"]
        assert [item["index"]["status"] for item in none["items"]] == [429, 429]
        assert sorted(found["n"] for found in node.search(f"{index_prefix}a")) == [0, 2]


def test_its_end_is_the_end_of_its_connections(elastic_server: ElasticNode) -> None:
    """A client that kept a connection open notices."""
    with HttpProxy(elastic_server.url) as proxy:
        kept = http.client.HTTPConnection(proxy.url.removeprefix("http://"))
        kept.request("GET", "/_cluster/health")
        kept.getresponse().read()

    assert isinstance(proxy.requests[0], Asked)
    assert kept.sock.recv(1) == b""
    kept.close()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(proxy.url)
