"""Systems whose store is an Elasticsearch, and documents for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hysds.bootstrap import System
from hysds.core.generations import FIRST
from hysds.settings.model import Settings
from hysds.settings.servers import Store
from services.elastic_node import ElasticNode


def system(home: Path, node: ElasticNode, index_prefix: str, url: str | None = None, **store: Any) -> System:
    """A system of this process's own over a server. `url`: another way to it, such as a proxy's; `store` are settings
    of the store above the node's own user and authority.
    """
    told = Store(url=url or node.url, index_prefix=index_prefix or None)
    if node.username and url is None:
        told = replace(told, username=node.username, password=node.password, ca_file=node.authority)
    return System(Settings(home=home, store=replace(told, **store)))


def make_indices(system: System) -> None:
    """Of the first generation; what is there stays."""
    assert system.indices is not None
    system.indices.init(FIRST, FIRST)


def document(number: int, revision: int = 1, **changes: Any) -> dict[str, Any]:
    """A job's small document; `changes` are its top-level fields. Numbers are minutes after a new year."""
    hour, minute = divmod(number, 60)
    day, hour = divmod(hour, 24)
    at = f"2026-01-{1 + day:02}T{hour:02}:{minute:02}"
    info = {"job_queue": "gpu", "time_queued": f"{at}:00.000Z"}
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "revision": revision,
        "generation": FIRST,
        "resource": "job",
        "status": "job-queued",
        "type": "job:count",
        "@timestamp": f"{at}:00.500Z",
        "job": {"name": f"count-{number}", "priority": number % 10, "params": {}, "job_info": info},
        **changes,
    }


def numbers(documents: Iterable[dict[str, Any] | None]) -> list[int | None]:
    """Which documents these are; None for one that is not there."""
    return [None if one is None else int(one["id"][-12:]) for one in documents]
