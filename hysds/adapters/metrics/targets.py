"""Files that tell a Prometheus of this host where processes answer (its `file_sd_configs`): one each, while it lives.

A process holds its file's lock for life, so what nobody holds is of a dead one, and is removed by the next that comes.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path

from hysds.ports.metrics import Address

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class TargetFile:
    """The file of this process below a directory. `name`: what no other process of this host calls its own."""

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / f"{name}.json"
        self._held: int | None = None

    def write(self, address: Address, labels: dict[str, str]) -> None:
        """Tell where this process answers. Raises: OSError"""
        directory = self._path.parent
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        _clear(directory)
        host = _EVERYWHERE.get(address.host, address.host)
        target = f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"
        beside = self._path.with_suffix(f".{os.getpid()}.new")
        held = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            os.write(held, json.dumps([{"targets": [target], "labels": labels}]).encode() + b"\n")
            os.rename(beside, self._path)
        except OSError:
            os.close(held)
            raise
        self._held = held

    def remove(self) -> None:
        """This process answers no more."""
        held, self._held = self._held, None
        if held is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            os.close(held)


def living(directory: Path) -> list[Path]:
    """The files of processes that live, by name."""
    return [path for path in sorted(directory.glob("*.json")) if not _is_left(path)]


def _clear(directory: Path) -> None:
    """Remove the files of the dead. What can't be looked at is left."""
    for path in directory.glob("*.json"):
        if _is_left(path):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _is_left(path: Path) -> bool:
    """Whether nobody holds it any more."""
    try:
        found = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(found, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(found)
    return True
