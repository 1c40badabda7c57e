"""A job worker with real processes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from worlds.job_worker import Bench, make


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A worker with one slot and a guardian."""
    made = make(tmp_path)
    yield made
    made.worker.close()
    made.ledger.close()
    shutil.rmtree(tmp_path, ignore_errors=True)
