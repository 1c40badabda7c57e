"""Whether a home is still its warden's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.embedded.warden.holding import Holding


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with a lock and a door."""
    found = tmp_path / "run"
    found.mkdir()
    (found / "lock").touch()
    (found / "door").touch()
    return found


@pytest.fixture
def holding(folder: Path) -> Iterator[Holding]:
    """Of that folder."""
    lock = os.open(folder / "lock", os.O_RDWR)
    yield Holding(lock, str(folder / "lock"), str(folder / "door"))
    os.close(lock)


def test_a_home_that_nobody_touched_is_ours(folder: Path, holding: Holding) -> None:
    """Whatever else is written in it."""
    (folder / "lock").write_text("1\n")
    (folder / "other").touch()

    assert holding.loss() == ""
    assert holding.again_s() > 0


@pytest.mark.parametrize("name", ["lock", "door"])
def test_a_file_that_was_removed_or_replaced_is_a_loss(folder: Path, holding: Holding, name: str) -> None:
    """A new one of the same name is another one."""
    kept = folder / "kept"
    (folder / name).rename(kept)  # so that its number is not given to the next
    assert holding.loss() == f"{folder / name} was removed"
    (folder / name).touch()

    assert holding.loss() == f"{folder / name} was replaced"


def test_a_home_that_was_moved_away_is_a_loss(folder: Path, holding: Holding) -> None:
    """Also where a file stands in the folder's place."""
    folder.rename(folder.with_name("elsewhere"))
    assert holding.loss().endswith("was removed")
    folder.touch()

    assert holding.loss().endswith("was removed")
