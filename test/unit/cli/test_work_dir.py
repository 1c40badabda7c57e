"""Whether work directories can be made, told before a worker is started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hysds.cli import work_dir
from hysds.core.errors import InvalidSettings
from hysds.settings import load
from hysds.settings.load import Loaded


def _loaded(directory: Path) -> Loaded:
    return load.load(environ={"HYSDS_CONFIG": "", "HYSDS_WORKER_WORK_DIR": str(directory)})


def test_a_directory_that_is_there_or_can_be_made_is_good_and_is_not_made(tmp_path: Path) -> None:
    """The worker makes it; asking changes nothing."""
    work_dir.check(_loaded(tmp_path))
    work_dir.check(_loaded(tmp_path / "a" / "b"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_file_in_its_place_is_named_with_the_setting(tmp_path: Path, below: str) -> None:
    """The complaint names the setting's source, the directory and the way out."""
    (tmp_path / "file").touch()
    directory = tmp_path / "file" / below

    with pytest.raises(InvalidSettings) as caught:
        work_dir.check(_loaded(directory))

    assert caught.value.source == "environment HYSDS_WORKER_WORK_DIR"
    assert str(directory) in str(caught.value)
    assert "set worker.work_dir" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_directory_of_others_is_named(tmp_path: Path, mode: int) -> None:
    """Neither one that can't be entered nor one that can't be written to will do."""
    closed = tmp_path / "closed"
    closed.mkdir(mode)

    with pytest.raises(InvalidSettings, match="closed"):
        work_dir.check(_loaded(closed / "work"))
