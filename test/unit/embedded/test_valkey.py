"""Which server program is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.embedded import valkey
from hysds.embedded.errors import NoServer


def _place(folder: Path, name: str, version: str) -> Path:
    """A program that tells a version, as servers do."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    return program


def test_the_packaged_server_comes_first(tmp_path: Path) -> None:
    """Whatever is on the PATH."""
    _place(tmp_path, "valkey-server", "Valkey server v=9.0.0 sha=0")

    assert valkey.program(str(tmp_path), lambda: Path("/packaged")) == Path("/packaged")


def test_without_a_packaged_one_the_path_is_searched(tmp_path: Path) -> None:
    """A Valkey before a Redis, each only from the version on that the ledger needs."""
    redis = _place(tmp_path, "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    assert valkey.program(str(tmp_path), lambda: None) == redis
    found = _place(tmp_path, "valkey-server", "Valkey server v=7.1.9 sha=0")
    assert valkey.program(str(tmp_path), lambda: None) == redis
    _place(tmp_path, "valkey-server", "Valkey server v=8.0.1 sha=0")

    assert valkey.program(str(tmp_path), lambda: None) == found


@pytest.mark.parametrize("version", ["Redis server v=6.2.14 sha=0", "no version"])
def test_a_server_too_old_is_named(tmp_path: Path, version: str) -> None:
    """The message says which was found, and what to install."""
    _place(tmp_path, "redis-server", version)

    with pytest.raises(NoServer, match=r"redis-server is older than 7\.0.*install"):
        valkey.program(str(tmp_path), lambda: None)


def test_without_any_server_it_is_said_what_to_install(tmp_path: Path) -> None:
    """Or where else to point to."""
    with pytest.raises(NoServer, match=r"none on the PATH.*ledger\.url"):
        valkey.program(str(tmp_path), lambda: None)
