"""A whole system of real processes: ledger, broker, Celery workers, indexer, reconciler; a client in the test."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hysds.bootstrap import System
from hysds.sdk.client import Client
from hysds.settings import load
from hysds.wiring.real import RealAdapters

_PATIENCE_S = 120.0


class RunningSystem:
    """Roles as processes below one home; `close` ends all of them."""

    def __init__(self, home: Path, ledger_url: str, broker_url: str, **variables: str) -> None:
        self.home = home
        self.variables = {
            "HYSDS_HOME": str(home),
            "HYSDS_CONFIG": "",
            "HYSDS_LEDGER_URL": ledger_url,
            "HYSDS_BROKER_URL": broker_url,
            **variables,
        }
        loaded = load.load(environ=self.variables, directory=home)
        self.system = System(loaded.settings, RealAdapters(loaded.handed_on()))
        self.client = Client(self.system)
        self._processes: list[subprocess.Popen[bytes]] = []

    def worker(
        self, name: str, queue: str, slots: int = 2, run_in: Sequence[str] = (), **variables: str
    ) -> subprocess.Popen[bytes]:
        """A real `celery -A hysds worker`."""
        options = ("-Q", queue, "-c", str(slots), "-n", f"{name}@here", "--loglevel", "INFO")
        command = ("-m", "celery", "-A", "hysds", "worker", *options)
        return self.start(name, *command, run_in=run_in, **variables)

    def start(
        self, name: str, *arguments: str, run_in: Sequence[str] = (), **variables: str
    ) -> subprocess.Popen[bytes]:
        """A Python process with this system's settings, and `variables` above them; its output goes to a file beside
        the home's others. `run_in`: a command that starts commands, as `ip netns exec NAME`."""
        with open(self.home / f"{name}.log", "ab") as log:
            process = subprocess.Popen(
                [*run_in, sys.executable, *arguments],
                env=os.environ | self.variables | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        return process

    def log(self, name: str) -> str:
        """What a process has printed."""
        return (self.home / f"{name}.log").read_text(errors="replace")

    def submit(self, queue: str, command: str, **fields: Any) -> str:
        """A new job's id."""
        return self.client.submit(
            {"job_type": "job:x", "job_queue": queue, "payload": {"_command": command}, **fields}
        ).id

    def until(self, holds: Callable[[], bool], why: Callable[[], str]) -> None:
        """Ask other processes again and again; an AssertionError that says why if it never holds."""
        end = time.monotonic() + _PATIENCE_S
        while not holds():
            assert time.monotonic() < end, why()
            time.sleep(0.05)

    def close(self) -> None:
        """End everything, at once; guardians end what workers ran."""
        self.client.close()
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
