"""The real command in processes of its own, with a home that nobody else has."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.bootstrap import System
from hysds.lib.process.guard import tree
from hysds.sdk.client import Client
from hysds.settings import load
from services.process import own_directory
from services.redis import RedisOptions, RedisServer, valkey_program

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 120


class Started:
    """A command that goes on; its output is read as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.out = b""
        self.err = b""
        self._changed = threading.Condition()
        self._open = {"out", "err"}
        self._readers = [
            threading.Thread(target=self._read, args=(name,), daemon=True) for name in ("out", "err")
        ]
        for reader in self._readers:
            reader.start()

    def await_text(self, text: str, stream: str = "err") -> None:
        """Until the command has written this."""
        needle = text.encode()
        with self._changed:
            self._changed.wait_for(lambda: needle in getattr(self, stream) or not self._open, _PATIENCE_S)
            assert needle in getattr(self, stream), f"{text!r} never came: {self.out!r} {self.err!r}"

    def end(self) -> int:
        """The exit code, once it has ended and all it wrote was read."""
        code = self.process.wait(_PATIENCE_S)
        for reader in self._readers:
            reader.join(_PATIENCE_S)
        return code

    def _read(self, name: str) -> None:
        stream = self.process.stdout if name == "out" else self.process.stderr
        assert stream is not None
        while data := os.read(stream.fileno(), 65536):
            with self._changed:
                setattr(self, name, getattr(self, name) + data)
                self._changed.notify_all()
        stream.close()
        with self._changed:
            self._open.discard(name)
            self._changed.notify_all()


class CommandLine:
    """`hysds` as a person at a shell has it. `home` is HYSDS_HOME; commands are called at the repository's root."""

    def __init__(self, directory: Path, **variables: str) -> None:
        self.directory = directory
        self.home = directory / "home"
        bin_ = directory / "bin"
        bin_.mkdir()
        for name, module in (("hysds", " -m hysds"), ("python", "")):
            program = bin_ / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{module} "$@"\n')
            program.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HYSDS_")}
        self.environment = {
            **kept,
            "HYSDS_HOME": str(self.home),
            "HYSDS_CONFIG": "",
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            **variables,
        }
        self._started: list[Started] = []

    def hysds(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Carry out one command and wait for its end."""
        return subprocess.run(
            ["hysds", *arguments],
            input=stdin,
            capture_output=True,
            cwd=ROOT,
            env=self.environment,
            timeout=_PATIENCE_S,
            check=False,
        )

    def client(self) -> Client:
        """A client of the same system in this process: what a test only prepares costs no process."""
        loaded = load.load(
            None, {name: value for name, value in self.environment.items() if name.startswith("HYSDS_")}
        )
        return Client(System(loaded.settings))

    def shell(self, line: str) -> subprocess.CompletedProcess[bytes]:
        """One line of a README, in a shell at the root of the repository."""
        return subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            cwd=ROOT,
            env=self.environment,
            timeout=_PATIENCE_S,
            check=False,
        )

    def start(self, *arguments: str, ready_fd: int | None = None) -> Started:
        """Start a command and go on; it ends with the test at the latest. It tells its readiness on `ready_fd`."""
        process = subprocess.Popen(
            ["hysds", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=self.environment | ({} if ready_fd is None else {"HYSDS_READY_FD": str(ready_fd)}),
            pass_fds=() if ready_fd is None else (ready_fd,),
        )
        started = Started(process)
        self._started.append(started)
        return started

    def start_ready(self, *arguments: str) -> Started:
        """Start a role and wait until it says that it is ready."""
        ours, theirs = os.pipe()
        started = self.start(*arguments, ready_fd=theirs)
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            assert pipe.read() == b"ready\n", started.err
        return started

    def close(self) -> None:
        """End what was started: in order if it can, so that nothing below it is left."""
        for started in self._started:
            if started.process.poll() is None:
                started.process.send_signal(signal.SIGTERM)
                try:
                    started.process.wait(30)
                except subprocess.TimeoutExpired:
                    started.process.kill()
            started.end()

    def left_running(self) -> list[int]:
        """Processes other than ours that name the home, on their command line or in their environment."""
        needle = os.fsencode(self.home)
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if needle in told and tree.is_alive(int(entry.name)):
                found.append(int(entry.name))
        return found


@pytest.fixture
def command_line() -> Iterator[CommandLine]:
    """A command line with an empty home, so that `run` brings a system of its own."""
    valkey_program()  # skips, or fails in CI, where there is no server for an embedded system
    directory = own_directory("e2e")
    found = CommandLine(directory)
    try:
        yield found
    finally:
        found.close()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def standing() -> Iterator[CommandLine]:
    """A command line whose settings name a system that runs: a server, a worker of two slots, indexer, reconciler."""
    server = RedisServer(valkey_program())
    directory = own_directory("e2e")
    try:
        server.start()
        found = CommandLine(directory, HYSDS_LEDGER_URL=server.url, HYSDS_WORKER_STOP_GRACE="2s")
        try:
            found.start_ready("worker", "job", "--queues", "default,narrow", "--slots", "2", "--name", "w1")
            hello = b'{"job_type": "job:x", "job_queue": "default", "payload": {"_command": "true"}}'
            while b"note: the job waits" in found.hysds("submit", "-", stdin=hello).stderr:
                pass  # it announces itself a moment after it is ready; the tests are of a system that stands
            found.start("indexer")
            found.start("reconciler")
            yield found
        finally:
            found.close()
    finally:
        server.remove()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def server(start_valkey: Callable[[RedisOptions], RedisServer]) -> RedisServer:
    """The server of `with_server`."""
    return start_valkey(RedisOptions())


@pytest.fixture
def with_server(command_line: CommandLine, server: RedisServer) -> CommandLine:
    """A command line whose settings name a server, and no role runs."""
    command_line.environment["HYSDS_LEDGER_URL"] = server.url
    return command_line
