"""Stores over the real server, straight and through a proxy that does harm."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hysds.bootstrap import System
from services.elastic_node import ElasticNode
from services.http_proxy import HttpProxy
from worlds import searching
from worlds.elastic_store import ElasticWorld

Systems = Callable[..., System]


@pytest.fixture(scope="module")
def world(elastic_server: ElasticNode) -> Iterator[ElasticWorld]:
    """Indices that a module's tests have one after the other: to make them takes seconds."""
    with elastic_server.own_prefix() as prefix:
        world = ElasticWorld(elastic_server, prefix)
        yield world
        world.close()


@pytest.fixture
def index_prefix(world: ElasticWorld) -> str:
    """Of indices that are made, and empty."""
    world.store().close()
    return world.names.prefix


@pytest.fixture
def bare_prefix(elastic_server: ElasticNode) -> Iterator[str]:
    """Of no index yet."""
    with elastic_server.own_prefix() as prefix:
        yield prefix


@pytest.fixture
def proxy(elastic_server: ElasticNode) -> Iterator[HttpProxy]:
    """Before the shared server; it passes all on until it is told otherwise."""
    with HttpProxy(elastic_server.url) as proxy:
        yield proxy


@pytest.fixture
def new_system(elastic_server: ElasticNode, index_prefix: str, tmp_path: Path) -> Iterator[Systems]:
    """Makes systems whose store is this test's own part of the shared server; `worlds.searching.system` says how.
    `index_prefix`: another one than the fixture's."""
    with contextlib.ExitStack() as stack:

        def make(url: str | None = None, **store: Any) -> System:
            settings = {"index_prefix": index_prefix, **store}
            made = searching.system(tmp_path, elastic_server, url=url, **settings)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def straight(new_system: Systems) -> System:
    """With nothing before the server."""
    return new_system()


@pytest.fixture
def harmed(straight: System, proxy: HttpProxy, new_system: Systems) -> System:
    """The same store, through the proxy."""
    return new_system(proxy.url)
