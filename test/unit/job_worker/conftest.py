"""A worker, its ledger, and threads that carry out what it asks Celery for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.job_worker.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()
