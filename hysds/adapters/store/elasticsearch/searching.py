"""How aliases of readers are searched: all that is behind them, or nothing at all."""

from __future__ import annotations

from typing import Any

from elasticsearch import ApiError

from hysds.adapters.store.elasticsearch import server
from hysds.adapters.store.elasticsearch.server import Server
from hysds.core.errors import Unreachable

_WHOLE = {"allow_partial_search_results": "false", "allow_no_indices": "true"}
_MISSING = 404


def asked(cluster: Server, aliases: str, body: dict[str, Any]) -> Any:
    """The server's answer. An alias without an index is a store that nothing was written to yet; a closed index is
    not passed over, as the documents in it would be taken for lost.

    Raises: Unreachable
    """
    path = f"/{aliases}/_search"
    try:
        return cluster.ask("POST", path, body, {**_WHOLE, "ignore_unavailable": "false"})
    except ApiError as error:
        if server.kind(error) == server.CLOSED:
            raise Unreachable("store", f"can't be searched: {server.reason(error)}") from error
        if error.meta.status != _MISSING:
            raise
    return cluster.ask("POST", path, body, {**_WHOLE, "ignore_unavailable": "true"})
