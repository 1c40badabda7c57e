"""The chronicles that the contract suite runs over. A new one joins by one entry of MAKERS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.adapters.store.chronicle_memory import MemoryChronicle
from hysds.adapters.store.chronicle_sqlite import SqliteChronicle
from hysds.ports.chronicle import Chronicle

MAKERS: dict[str, Callable[[Path], Chronicle]] = {
    "memory": lambda path: MemoryChronicle(),
    "sqlite": lambda path: SqliteChronicle(path / "jobs.db"),
}
"""Each makes an empty one; the path, which nothing else has, is for what it keeps."""


@pytest.fixture(params=sorted(MAKERS))
def chronicle(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chronicle]:
    """An empty chronicle of each kind."""
    made = MAKERS[request.param](tmp_path)
    yield made
    made.close()
