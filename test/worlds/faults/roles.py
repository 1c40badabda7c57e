"""The roles of a system as processes that load the fault points, each under a supervisor: the test."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hysds.lib import readiness
from worlds.faults.inside.strike import Arms

_INSIDE = Path(__file__).parent / "inside"
_READY_WITHIN_MS = 60_000


def environment(arms_at: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """That of a role; makes the program that a worker takes for its Python."""
    stand_in = arms_at / "python"
    stand_in.write_text(
        "#!/bin/sh\n"
        f"case $5 in */lib/process/guard) exec {sys.executable} -I -S -X utf8 {_INSIDE}/guarded.py $5 $6;; esac\n"
        f'exec {sys.executable} "$@"\n'
    )
    stand_in.chmod(0o755)
    kept = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(_INSIDE), str(_INSIDE.parents[2]), *([kept] if kept else [])])
    return {**os.environ, **variables, "PYTHONPATH": path, "FAULT_POINTS": str(arms_at)}


class Role:
    """One role, started as often as it ends."""

    def __init__(self, name: str, arguments: tuple[str, ...], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._environ = dict(environ)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = -1

    @property
    def pid(self) -> int:
        """Of the process that lives, or of the last one."""
        assert self._process is not None
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether its process has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, arms: Arms) -> None:
        """A new process; `await_ready` says when it works."""
        self._ready, told = os.pipe()
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments],
                env={**self._environ, "HYSDS_READY_FD": str(told)},
                pass_fds=[told],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        os.close(told)
        arms.note(self.name, self._process.pid)

    def await_ready(self) -> None:
        """Until it has said that it works."""
        if self._ready < 0:
            return
        poll = select.poll()
        poll.register(self._ready, select.POLLIN)
        told = os.read(self._ready, 64) if poll.poll(_READY_WITHIN_MS) else b""
        os.close(self._ready)
        self._ready = -1
        assert told == readiness.READY, f"{self.name} does not work; its log:\n{self.log()[-3000:]}"

    def terminate(self) -> subprocess.Popen[bytes]:
        """SIGTERM to its process, which is answered: another may have taken its place when it has ended."""
        assert self._process is not None
        self._process.terminate()
        return self._process

    def end(self) -> None:
        """At once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._ready >= 0:
            os.close(self._ready)

    def log(self) -> str:
        """What all its processes have printed."""
        return self._log.read_text(errors="replace")
