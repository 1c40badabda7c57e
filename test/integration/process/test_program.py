"""The guardian's program alone: it runs from any folder, in a bare interpreter."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import hysds.lib.process.guard
from hysds.lib.process.guard import wire
from hysds.lib.process.guard.beats import Beats

PROGRAM = Path(hysds.lib.process.guard.__file__).parent


def test_the_program_needs_nothing_but_its_own_folder(tmp_path: Path) -> None:
    """A copy without the rest of HySDS starts, says that it is ready and ends with its worker."""
    shutil.copytree(PROGRAM, tmp_path / "guard", ignore=shutil.ignore_patterns("__pycache__"))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        command = [sys.executable, "-I", "-S", str(tmp_path / "guard"), str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd="/", env={})
        theirs.close()
        settings = wire.encode(wire.Settings([], {}, 1, None, None, False, None))
        fds = [wire.memory_file(settings), Beats.create(), os.pidfd_open(os.getpid())]
        wire.send_request(ours, wire.BEGIN, fds)
        ready = wire.receive(ours)
        ours.close()

    assert ready == wire.READY
    assert process.wait() == 0
    for fd in fds:
        os.close(fd)


def test_the_program_ends_when_its_worker_died_before_it_began(tmp_path: Path) -> None:
    """It does not stay behind, waiting for its settings."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        ours.close()
        command = [sys.executable, "-I", "-S", str(PROGRAM), str(theirs.fileno())]
        ended = subprocess.run(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, check=False)

    assert ended.returncode == 1
    assert b"before it began" in ended.stderr
