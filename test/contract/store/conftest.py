"""The stores that the contract suite runs over. The local ones are `worlds.stores`'."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.lib import clocks
from hysds.ports.store import Store
from services.elastic_node import ElasticNode
from worlds.elastic_store import ElasticWorld
from worlds.stores import LOCAL, Clock

KINDS = (*LOCAL, "elasticsearch")


@pytest.fixture(scope="session")
def elastic_world(elastic_server: ElasticNode) -> Iterator[ElasticWorld]:
    """Stores in Elasticsearch, one at a time."""
    with elastic_server.own_prefix() as prefix:
        world = ElasticWorld(elastic_server, prefix)
        yield world
        world.close()


@pytest.fixture(params=KINDS)
def clocked_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[Clock], Store]]:
    """Makes empty stores of one kind, with a wall clock; each is closed at the end. In Elasticsearch one at a time."""
    numbers = itertools.count()
    with contextlib.ExitStack() as stack:

        def make(clock: Clock) -> Store:
            if request.param in LOCAL:
                store = LOCAL[request.param](tmp_path / str(next(numbers)), clock)
            else:
                world: ElasticWorld = request.getfixturevalue("elastic_world")
                store = world.store(clock)
            stack.callback(store.close)
            return store

        yield make


@pytest.fixture
def new_store(clocked_store: Callable[[Clock], Store]) -> Callable[[], Store]:
    """Makes empty stores of one kind; each is closed at the end."""
    return lambda: clocked_store(clocks.wall_ms)


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    """One empty store."""
    return new_store()
