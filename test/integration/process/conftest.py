"""A guardian, and a place in which its commands run; after each test nothing may be left of either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.lib.process.guard.tree import below, is_alive
from hysds.lib.process.guardian import Guardian, Watchfulness
from integration.process.guarded import Pipe, Place


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


@pytest.fixture
def watchfulness() -> Watchfulness:
    """How the guardian of `place` is started; a test may override it by parametrizing."""
    return Watchfulness()


@pytest.fixture
def place(tmp_path: Path, watchfulness: Watchfulness) -> Iterator[Place]:
    guardian = Guardian.start(watchfulness)
    yield Place(guardian, tmp_path)
    guarded = below([guardian.pid])
    guardian.close()
    assert [pid for pid in guarded if is_alive(pid)] == []
