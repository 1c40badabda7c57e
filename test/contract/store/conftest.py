"""The stores that the contract suite runs over. A new one joins by one entry of MAKERS."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.adapters.store.memory import MemoryStore
from hysds.adapters.store.sqlite import SqliteStore
from hysds.ports.store import Store

Maker = Callable[[Path], Store]
"""Makes an empty store; the path, which nothing else has, is for what it keeps."""

MAKERS: dict[str, Maker] = {
    "memory": lambda path: MemoryStore(),
    "sqlite": lambda path: SqliteStore(path / "jobs.db"),
}


@pytest.fixture(params=sorted(MAKERS))
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes empty stores of one kind; each is closed at the end."""
    numbers = itertools.count()
    with contextlib.ExitStack() as stack:

        def make() -> Store:
            store = MAKERS[request.param](tmp_path / str(next(numbers)))
            stack.callback(store.close)
            return store

        yield make


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    """One empty store."""
    return new_store()
