"""Empty stores of the kinds that need no server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hysds.adapters.store.memory import MemoryStore
from hysds.adapters.store.sqlite import SqliteStore
from hysds.ports.store import Store

Clock = Callable[[], int]
"""Wall ms."""
Maker = Callable[[Path, Clock], Store]
"""Makes an empty store; the path, which nothing else has, is for what it keeps."""

LOCAL: dict[str, Maker] = {
    "memory": lambda path, clock: MemoryStore(clock),
    "sqlite": lambda path, clock: SqliteStore(path / "jobs.db", wall_ms=clock),
}
