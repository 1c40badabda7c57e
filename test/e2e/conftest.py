"""The real command in processes of its own, with a home that nobody else has."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.lib.process.guard import tree
from services.process import own_directory
from services.redis import valkey_program

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 120


class CommandLine:
    """`hysds` as a person at a shell has it. `home` is HYSDS_HOME; `directory` is where commands are called."""

    def __init__(self, directory: Path, root: Path = ROOT) -> None:
        self.home = directory / "home"
        self.root = root
        bin_ = directory / "bin"
        bin_.mkdir()
        program = bin_ / "hysds"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hysds "$@"\n')
        program.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HYSDS_")}
        self.environment = kept | {
            "HYSDS_HOME": str(self.home),
            "HYSDS_CONFIG": "",
            "PATH": f"{bin_}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def hysds(
        self, *arguments: str, stdin: bytes = b"", **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Carry out one command and wait for its end."""
        return subprocess.run(
            ["hysds", *arguments],
            input=stdin,
            capture_output=True,
            cwd=self.root,
            env=self.environment | variables,
            timeout=_PATIENCE_S,
            check=False,
        )

    def shell(self, line: str) -> subprocess.CompletedProcess[bytes]:
        """One line of a README, in a shell at the root of the repository."""
        return subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            cwd=self.root,
            env=self.environment,
            timeout=_PATIENCE_S,
            check=False,
        )

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a command and go on; it ends with the test at the latest."""
        process = subprocess.Popen(
            ["hysds", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.root,
            env=self.environment | variables,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End what was started: in order if it can, so that nothing below it is left."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
            process.communicate()

    def left_running(self) -> list[int]:
        """Processes, other than ours, that name the home on their command line or in their environment."""
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
    """A command line with an empty home; its path is short enough for a socket."""
    valkey_program()  # skips, or fails in CI, where there is no server for an embedded system
    directory = own_directory("e2e")
    found = CommandLine(directory)
    try:
        yield found
    finally:
        found.close()
        shutil.rmtree(directory, ignore_errors=True)
