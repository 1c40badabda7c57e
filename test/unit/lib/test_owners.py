"""Why a file may not be looked at."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from hysds.lib import owners


def test_of_what_can_be_seen_on_the_way_the_owner_is_named() -> None:
    """The root directory is root's, or, where this process is root, its mode is named."""
    told = owners.refusal(Path("/no/such/file"))

    if os.geteuid() == 0:
        assert told == "/no/such/file can't be read: the mode of / does not allow it"
    else:
        assert told == f"/no/such/file can't be read: / belongs to user {pwd.getpwuid(0).pw_name}"


def test_a_place_of_ones_own_is_told_by_its_mode(tmp_path: Path) -> None:
    """Nobody else is to be asked."""
    assert owners.refusal(tmp_path / "a" / "b").endswith(f"the mode of {tmp_path} does not allow it")
