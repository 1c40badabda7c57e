"""The indices that the suite runs over: those of a real Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.elastic_node import ElasticNode
from worlds.elastic_store import ElasticWorld


@pytest.fixture
def world(elastic_server: ElasticNode, index_prefix: str) -> Iterator[ElasticWorld]:
    """Nothing is made yet."""
    world = ElasticWorld(elastic_server, index_prefix)
    yield world
    world.close()
