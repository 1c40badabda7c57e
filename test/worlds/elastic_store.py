"""Stores in a real Elasticsearch for the suites: made empty quickly, and asked after a refresh.

Making all indices of a store takes seconds, so a world makes them once and, for the next store, deletes and makes anew
those alone that something was written to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hysds.adapters.store.elasticsearch.chronicle import ElasticChronicle
from hysds.adapters.store.elasticsearch.indices import ElasticIndices
from hysds.adapters.store.elasticsearch.names import Names
from hysds.adapters.store.elasticsearch.server import Access, Server
from hysds.adapters.store.elasticsearch.store import ElasticStore
from hysds.core.generations import FIRST
from hysds.core.query import JobQuery
from hysds.lib import clocks
from hysds.ports.chronicle import ChroniclePage, ChronicleQuery
from hysds.ports.indices import Resource
from hysds.ports.store import DeadLetter, Found, Page
from hysds.settings import search_url
from services.elastic_node import ElasticNode


class FreshStore(ElasticStore):
    """Waits, before each question, until the server knows what was written: the suites compare at once."""

    def search(self, query: JobQuery) -> Page:
        self.refresh()
        return super().search(query)

    def find(self, query: JobQuery) -> Found:
        self.refresh()
        return super().find(query)

    def delete(self, wanted: Sequence[tuple[str, int]]) -> tuple[bool, ...]:
        self.refresh()
        return super().delete(wanted)

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        self.refresh()
        return super().dead_letters(limit)


class FreshChronicle(ElasticChronicle):
    """The same for what happens beside jobs. `node`: which refreshes."""

    def __init__(self, node: ElasticNode, names: Names) -> None:
        super().__init__(Server(access(node)), names)
        self._node = node
        self._all = names.readings(Resource.WORKER, Resource.EVENT)

    def search(self, query: ChronicleQuery) -> ChroniclePage:
        self._node.request("POST", f"/{self._all}/_refresh")
        return super().search(query)

    def delete_before(self, resource: str, ms: int) -> int:
        self._node.request("POST", f"/{self._all}/_refresh")
        return super().delete_before(resource, ms)


def access(node: ElasticNode, timeout_s: float = 60.0) -> Access:
    """How our client reaches a server of the tests."""
    cluster = search_url.read(node.url)
    user = (node.username, node.password) if node.username else None
    return Access(cluster.hosts, cluster.is_tls, cluster.path, user, None, node.authority, timeout_s)


class ElasticWorld:
    """One store at a time, behind one prefix."""

    def __init__(self, node: ElasticNode, prefix: str) -> None:
        self.node = node
        self.names = Names(prefix)
        self._server = Server(access(node))
        self.indices = ElasticIndices(self._server, self.names)

    def store(self, wall_ms: Callable[[], int] = clocks.wall_ms) -> FreshStore:
        """An empty store; what was in the one before is gone."""
        self._empty()
        return FreshStore(Server(access(self.node)), self.names, wall_ms)

    def store_beside(self) -> FreshStore:
        """Another process's store of the same indices, as they are."""
        return FreshStore(Server(access(self.node)), self.names)

    def chronicle(self) -> FreshChronicle:
        """An empty chronicle, likewise."""
        self._empty()
        return FreshChronicle(self.node, self.names)

    def _empty(self) -> None:
        stats = self.node.request(
            "GET", f"/{self.names.prefix}*/_stats/indexing?filter_path=indices.*.primaries"
        )
        for name, told in stats.get("indices", {}).items():
            if told["primaries"]["indexing"]["index_total"] or told["primaries"]["indexing"]["delete_total"]:
                self.node.request("DELETE", f"/{name}")
        self.indices.init(FIRST, FIRST)

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()
