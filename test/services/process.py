"""A server process under its watchdog: start, signal, stop, start again in the same directory."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_WATCHDOG = Path(__file__).with_name("watchdog.py")
READY_WITHIN_S = 90.0
_POLL_S = 0.02


def own_directory(name: str) -> Path:
    """A new directory with a path short enough for unix sockets (107 bytes), outside pytest's long ones."""
    return Path(tempfile.mkdtemp(prefix=f"hysds-{name}-"))


class ServerProcess:
    """One server program and the directory that holds its files and its log.

    `probe` raises OSError for as long as the server is not ready to be used, which it must be in `ready_within_s`.
    """

    def __init__(
        self,
        directory: Path,
        command: Sequence[str],
        environment: Mapping[str, str],
        probe: Callable[[], None],
        ready_within_s: float = READY_WITHIN_S,
    ) -> None:
        self.directory = directory
        self.log = directory / "server.log"
        self._command = list(command)
        self._environment = dict(environment)
        self._probe = probe
        self._ready_within_s = ready_within_s
        self._watchdog: subprocess.Popen[str] | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int:
        """The server's own process id, while it is started."""
        if self._pid is None:
            raise RuntimeError(f"{self._command[0]} is not started")
        return self._pid

    def start(self) -> None:
        """Start the server and return once it is ready; RuntimeError with its log if it ends instead."""
        if self._watchdog is not None:
            raise RuntimeError(f"{self._command[0]} is started already")
        watchdog = [sys.executable, "-I", "-S", str(_WATCHDOG), str(os.getpid()), str(self.directory)]
        with self.log.open("ab") as log:
            self._watchdog = subprocess.Popen(
                watchdog + self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                cwd=self.directory,
                text=True,
                start_new_session=True,  # a keyboard's interrupt is for pytest, which then stops us in order
            )
        assert self._watchdog.stdout is not None
        answer = self._watchdog.stdout.readline().split()
        if len(answer) != 2:
            self._fail("could not be started")
        self._pid = int(answer[1])
        self._await_ready(self._watchdog)

    def _await_ready(self, watchdog: subprocess.Popen[str]) -> None:
        until_s = time.monotonic() + self._ready_within_s
        while time.monotonic() < until_s:
            try:
                self._probe()
            except OSError:
                pass
            else:
                return
            try:
                watchdog.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
            self._fail("ended before it was ready")
        self._fail(f"was not ready within {self._ready_within_s:.0f} s")

    def _fail(self, what: str) -> None:
        self._close()
        tail = self.log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self._command[0]} {what}; the end of its log:\n{tail}")

    def send(self, number: signal.Signals) -> None:
        """Send the server a signal (SIGSTOP and SIGCONT make it hang and go on); returns once it is sent."""
        if self._watchdog is None:
            raise RuntimeError(f"{self._command[0]} is not started")
        assert self._watchdog.stdin is not None
        assert self._watchdog.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # the server has ended, and its watchdog with it
            self._watchdog.stdin.write(f"{number.value}\n")
            self._watchdog.stdin.flush()
            self._watchdog.stdout.readline()

    def stop(self) -> None:
        """Ask the server to end in order, and return once all of it is gone; may be called twice."""
        if self._watchdog is not None:
            self.send(signal.SIGTERM)
            self.send(signal.SIGCONT)  # a stopped server would never hear the first
            self._watchdog.wait()
            self._close()

    def kill(self) -> None:
        """End the server as a crash would, and return once all of it is gone; may be called twice."""
        if self._watchdog is not None:
            self.send(signal.SIGKILL)
            self._watchdog.wait()
            self._close()

    def remove(self) -> None:
        """Kill the server and delete its directory."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _close(self) -> None:
        watchdog, self._watchdog, self._pid = self._watchdog, None, None
        if watchdog is None:
            return
        assert watchdog.stdin is not None
        assert watchdog.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            watchdog.stdin.write("end\n")
            watchdog.stdin.flush()
        watchdog.wait()
        with contextlib.suppress(BrokenPipeError):
            watchdog.stdin.close()
        watchdog.stdout.close()
