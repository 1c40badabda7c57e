"""The chronicles that the contract suite runs over. A new one that needs no server joins by one entry of MAKERS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.adapters.store.chronicle_memory import MemoryChronicle
from hysds.adapters.store.chronicle_sqlite import SqliteChronicle
from hysds.ports.chronicle import Chronicle
from services.elastic_node import ElasticNode
from worlds.elastic_store import ElasticWorld

MAKERS: dict[str, Callable[[Path], Chronicle]] = {
    "memory": lambda path: MemoryChronicle(),
    "sqlite": lambda path: SqliteChronicle(path / "jobs.db"),
}
"""Each makes an empty one; the path, which nothing else has, is for what it keeps."""


@pytest.fixture(scope="session")
def elastic_world(elastic_server: ElasticNode) -> Iterator[ElasticWorld]:
    """Chronicles in Elasticsearch, one at a time."""
    with elastic_server.own_prefix() as prefix:
        world = ElasticWorld(elastic_server, prefix)
        yield world
        world.close()


@pytest.fixture(params=[*sorted(MAKERS), "elasticsearch"])
def chronicle(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chronicle]:
    """An empty chronicle of each kind."""
    if request.param in MAKERS:
        made = MAKERS[request.param](tmp_path)
    else:
        world: ElasticWorld = request.getfixturevalue("elastic_world")
        made = world.chronicle()
    yield made
    made.close()
