"""The system that a run torments: a server, workers, an indexer and a reconciler under a home of its own.

Its settings are short ones, so that a stop beyond a lease takes seconds; nothing else is unlike a system in use.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hysds.bootstrap import System
from hysds.chaos.asking import QUEUES
from hysds.chaos.household import Household
from hysds.chaos.plan import LIMITED_KEYS, MAX_RUNNING, Size
from hysds.chaos.server import Server
from hysds.embedded import valkey
from hysds.embedded.home import Home
from hysds.settings import environment, load
from hysds.wiring.real import RealAdapters

SERVER, INDEXER, RECONCILER = "valkey", "indexer", "reconciler"
LEASE_S = 8.0
STOPPED_S = LEASE_S + 2.0
"""How long a stopped process stays so: its lease is over by then, on every clock."""
_SERVER_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.02
_SETTINGS = {
    "HYSDS_LEDGER_LEASE": f"{LEASE_S}s",
    "HYSDS_LEDGER_RENEW_INTERVAL": "0.4s",
    "HYSDS_WORKER_ISOLATION_LIMIT": f"{LEASE_S}s",
    "HYSDS_WORKER_DRAIN_TIMEOUT": "2s",
    "HYSDS_WORKER_STOP_GRACE": "0.5s",
    "HYSDS_RECONCILER_INTERVAL": "0.5s",
}


def worker(number: int) -> str:
    """The name of a worker, from 0."""
    return f"worker-{number}"


class Arena:
    """A running system. For a process of one thread; `stop` ends all of it."""

    def __init__(self, path: Path, size: Size) -> None:
        self.home = Home(path)
        self.effects = path / "effects"
        self.size = size
        self.settings: Mapping[str, str] = {
            environment.HOME: str(path),
            environment.CONFIG: "",
            **_SETTINGS,
            "HYSDS_KEYS": json.dumps({key: {"max_running": MAX_RUNNING} for key in LIMITED_KEYS}),
        }
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.effects.mkdir()
        loaded = load.load(environ=self.settings, directory=path)
        self.system = System(loaded.settings, RealAdapters(loaded.handed_on()))
        self.server = Server(self.home.socket)
        self._environ = environment.for_child(loaded.handed_on())
        self.household = Household(path, self._environ)
        self._lock: int | None = None

    @property
    def prefix(self) -> str:
        """What every key of the ledger begins with."""
        return f"{{{self.system.settings.ledger.prefix}}}:"

    @property
    def settings_shown(self) -> dict[str, str]:
        """What was set, for a report."""
        return {name: value for name, value in self.settings.items() if name in _SETTINGS}

    def start(self, before_roles: Callable[[], None]) -> None:
        """The server, then, once it answers, `before_roles`, then the roles."""
        program = valkey.program(self._environ.get("PATH", os.defpath))
        self._lock = self.home.prepare()
        self._spawn(SERVER, valkey.arguments(program, self.home))
        self._await_server()
        before_roles()
        python = sys.executable
        for role in (INDEXER, RECONCILER):
            self._spawn(role, [python, "-m", "hysds", role])
        for number in range(self.size.workers):
            options = ["-Q", ",".join(QUEUES), "-c", str(self.size.slots), "-n", f"{worker(number)}@chaos"]
            celery = [python, "-m", "celery", "-A", "hysds", "worker", *options, "--loglevel", "INFO"]
            self._spawn(worker(number), celery)

    def workers(self) -> list[str]:
        """The names of all workers."""
        return [worker(number) for number in range(self.size.workers)]

    def end_in_order(self, *names: str, within_s: float) -> list[str]:
        """SIGTERM to these, once; answers who has not ended within the time."""
        for name in names:
            self.household.tell(name, signal.SIGTERM)
        until_s = time.monotonic() + within_s
        while left := [name for name in names if not self.household.has_ended(name)]:
            if time.monotonic() >= until_s:
                return left
            time.sleep(_LOOK_EVERY_S)
        return []

    def stop(self) -> None:
        """End what still runs, at once."""
        self.system.close()
        self.household.end()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _spawn(self, name: str, argv: list[str]) -> None:
        self.household.start(name, argv, self.home.log_of(name))

    def _await_server(self) -> None:
        until_s = time.monotonic() + _SERVER_WITHIN_S
        while not self.server.is_ready():
            if self.household.pid(SERVER) is None or time.monotonic() >= until_s:
                raise TimeoutError(f"the server does not answer; see {self.home.log_of(SERVER)}")
            time.sleep(_LOOK_EVERY_S)
