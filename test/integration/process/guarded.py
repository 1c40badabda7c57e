"""What the tests of guarded commands share: a place to run them, and proofs that processes are gone."""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hysds.lib.process.child import Child
from hysds.lib.process.command import NO_LIMITS, Command, Limits
from hysds.lib.process.ending import Ending
from hysds.lib.process.guardian import Guardian

PATIENCE_S = 60.0
"""Only a test that fails waits so long."""


class Pipe:
    """A pipe that all processes of a command hold open: its end of file proves that none is left."""

    def __init__(self) -> None:
        self.read_fd, self.write_fd = os.pipe()
        self._got = b""

    def read_line(self) -> bytes:
        """The next line that a command wrote, without its end."""
        while b"\n" not in self._got:
            part = self._read()
            assert part, f"the pipe ended after {self._got!r}"
            self._got += part
        line, self._got = self._got.split(b"\n", 1)
        return line

    def read_to_end(self) -> bytes:
        """All that is written until the last writer is gone."""
        self.close_write()
        while part := self._read():
            self._got += part
        return self._got

    def rest(self) -> bytes:
        """All that is left to read, where every writer must be gone already."""
        self.close_write()
        while part := self._read(patience_s=0):
            self._got += part
        return self._got

    def close_write(self) -> None:
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def close(self) -> None:
        self.close_write()
        os.close(self.read_fd)

    def _read(self, patience_s: float = PATIENCE_S) -> bytes:
        ready = select.select([self.read_fd], [], [], patience_s)[0]
        assert ready, f"neither output nor the end of the processes came; so far {self._got[:2000]!r}"
        return os.read(self.read_fd, 65536)


@dataclass
class Place:
    """A guardian and a directory for its commands."""

    guardian: Guardian
    folder: Path

    def start(
        self,
        argv: Sequence[str],
        limits: Limits = NO_LIMITS,
        out: Pipe | None = None,
        env: dict[str, str] | None = None,
    ) -> Child:
        """Start a command; its output goes to files, or standard output to a pipe."""
        return self.guardian.spawn(
            Command(
                argv,
                cwd=self.folder,
                stdout=self.stdout if out is None else out.write_fd,
                stderr=self.stderr,
                env={"PATH": os.defpath, **(env or {})},
                limits=limits,
            )
        )

    def run(
        self, argv: Sequence[str], limits: Limits = NO_LIMITS, env: dict[str, str] | None = None
    ) -> Ending:
        """Run a command to its end."""
        return ended(self.start(argv, limits, env=env))

    @property
    def stdout(self) -> Path:
        return self.folder / "out"

    @property
    def stderr(self) -> Path:
        return self.folder / "err"


def ended(child: Child) -> Ending:
    """The end of a command that must come."""
    ending = child.wait(PATIENCE_S)
    assert ending is not None, f"the command {child.pid} did not end"
    return ending


def has_died(pid: int) -> bool:
    """Wait for the end of any process, not only of a child."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], PATIENCE_S)[0])
    finally:
        os.close(fd)
