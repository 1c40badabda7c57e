"""Embedded systems in homes of their own, of which nothing may be left."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.embedded import standing
from hysds.embedded.home import Home

HERE = Path(__file__).parent
# The scripts beside this file find the package also where it is not installed.
ENVIRON = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where roles write what happens to them."""
    path = tmp_path / "record"
    path.touch()
    return path


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home in which nothing runs when the test has ended."""
    found = Home(tmp_path / "home")
    yield found
    list(standing.stop(found, hurry=True))


@pytest.fixture
def hold(tmp_path: Path, record: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts processes that run a system each in the test's home."""
    held: list[subprocess.Popen[bytes]] = []

    def hold(*modes: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(HERE / "holder.py"), str(tmp_path / "home"), str(record), *modes]
        held.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRON))
        return held[-1]

    yield hold
    for process in held:
        process.kill()
        with process:  # closes its pipes, and waits
            pass


def role_argv(name: str, record: Path, modes: str) -> list[str]:
    """The command line of a role for tests."""
    return [sys.executable, str(HERE / "role.py"), name, str(record), *modes.split()]


def pids_of(holder: subprocess.Popen[bytes]) -> dict[str, int]:
    """The processes that a holder has started."""
    assert holder.stdout is not None
    pids: dict[str, int] = json.loads(holder.stdout.readline())
    return pids


def ask(home: Path, *commands: str) -> bytes:
    """What the server under a home answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(home / "run" / "valkey.sock"))
        connection.sendall("".join(f"{command}\r\n" for command in (*commands, "QUIT")).encode())
        with connection.makefile("rb") as answers:
            return answers.read()


def await_end(pid: int) -> None:
    """Until a process that is no child of ours has ended."""
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    select.select([ended], [], [])
    os.close(ended)
