"""What the doctor finds about a store in Elasticsearch, on the real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from hysds.adapters.store.elasticsearch import health, mapping
from hysds.adapters.store.elasticsearch.server import Server
from hysds.ports.findings import Finding, Severity
from hysds.ports.indices import Resource
from hysds.ports.store import DeadLetter
from services.elastic_node import ElasticNode
from worlds.elastic_store import ElasticWorld, access


@pytest.fixture
def world(elastic_server: ElasticNode, index_prefix: str) -> Iterator[ElasticWorld]:
    """Its indices are made."""
    world = ElasticWorld(elastic_server, index_prefix)
    world.indices.init(1, 1)
    yield world
    world.close()


def _found(world: ElasticWorld) -> dict[str, Finding]:
    return {one.code: one for one in health.check(Server(access(world.node)), world.names)}


def test_a_sound_cluster_has_nothing_to_mend(world: ElasticWorld) -> None:
    """Its version and its size are told."""
    found = _found(world)

    assert {code for code, one in found.items() if one.severity > Severity.NOTE} == set()
    assert "Elasticsearch 8." in found["store.version"].what
    assert "1 generation of jobs" in found["store.size"].what


def test_a_cluster_that_nothing_was_written_to_is_new(elastic_server: ElasticNode) -> None:
    """The indexer makes the indices; looking makes none."""
    with elastic_server.own_prefix() as prefix:
        world = ElasticWorld(elastic_server, prefix)

        assert "store.new" in _found(world)
        assert world.indices.all() == ()
        world.close()


def test_blocks_old_fields_strangers_and_letters_are_told(world: ElasticWorld) -> None:
    """Each with what to do."""
    prefix, node = world.names.prefix, world.node
    with closing(world.store_beside()) as store:
        store.set_aside([DeadLetter("job-1", 1, "too odd", 5)])
        store.refresh()
    old = mapping.mapping(Resource.WORKER) | {"_meta": {"version": 0}}
    node.request("PUT", f"/{prefix}worker_status-000001/_mapping", old)
    node.request(
        "PUT", f"/{prefix}event_status-000001/_settings", {"index.blocks.read_only_allow_delete": True}
    )
    node.request("PUT", f"/{prefix}legacy", {"aliases": {world.names.reading(Resource.WORKER): {}}})

    found = _found(world)

    assert found["store.blocked"].where == f"{prefix}event_status-000001"
    assert found["store.mapping"].where == f"{prefix}worker_status-000001"
    assert "hysds index init" in found["store.mapping"].mend
    assert f"not ours: {prefix}legacy; " in found["store.strangers"].what
    assert "too odd" in found["store.dead_letters"].what
    assert all(found[code].mend for code in ("store.blocked", "store.strangers", "store.dead_letters"))


def test_an_index_that_is_not_whole_is_an_error(world: ElasticWorld) -> None:
    """A shard without a place: no question is answered, and the doctor says why."""
    place = {"index.routing.allocation.require._name": "no-such-node"}
    name = f"{world.names.prefix}task_status-000009"
    world.node.request("PUT", f"/{name}?wait_for_active_shards=0&timeout=1s", {"settings": place})

    found = _found(world)

    assert found["store.red"].severity is Severity.ERROR
    assert "store.size" not in found
