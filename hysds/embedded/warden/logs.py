"""The logs of the children: pipes that the warden empties into files of bounded size.

A process keeps the descriptor it was given, so a file that it wrote to itself could not be changed under it without
losing what it writes meanwhile. A pipe is one for all lives of a process, and the warden holds both its ends: it never
breaks while the warden lives, whoever else writes to it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from hysds.embedded.warden.plan import Rotation

_READ_BYTES = 65536
_READS_AT_ONCE = 32
"""So that one that writes without end lets the warden see to its other work."""


class LogFile:
    """`x.log`, and before it `x.log.1`, `x.log.2`, …: moved on at the end of a line."""

    def __init__(self, path: str, rotation: Rotation, stands_for: tuple[int, ...] = ()) -> None:
        """`stands_for`: descriptors of this process that go to the same file.

        Raises: OSError where it can't be opened.
        """
        self._path = path
        self._rotation = rotation
        self._stands_for = stands_for
        self._lost_bytes = 0
        self.fd = -1
        self._open()

    def write(self, data: bytes) -> None:
        """Append bytes. What finds no room is dropped, and told of when there is some: nobody waits for a disk."""
        if self._size >= self._rotation.most_bytes:
            # A line without an end is cut at twice the size.
            end = data.find(b"\n") + 1 if self._size < 2 * self._rotation.most_bytes else 0
            if end or self._size >= 2 * self._rotation.most_bytes:
                self._append(data[:end])
                self._move_on()
                data = data[end:]
        self._append(data)

    def _append(self, data: bytes) -> None:
        if self._lost_bytes and data:
            self._tell_loss()
        try:
            while data:
                done = os.write(self.fd, data)
                self._size += done
                data = data[done:]
        except OSError:
            self._lost_bytes += len(data)

    def _tell_loss(self) -> None:
        note = f"\n{self._lost_bytes} bytes of this log found no room on the disk\n".encode()
        with contextlib.suppress(OSError):
            self._size += os.write(self.fd, note)
            self._lost_bytes = 0

    def _move_on(self) -> None:
        """Where names can't be changed the file goes on growing, and the next write tries again."""
        names = [self._path, *(f"{self._path}.{number}" for number in range(1, self._rotation.files))]
        with contextlib.suppress(OSError):
            for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(newer, older)
            self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd, before = os.open(self._path, flags, 0o600), self.fd
        self.fd, self._size = fd, os.fstat(fd).st_size
        for other in self._stands_for:
            os.dup2(fd, other)
        if before >= 0:
            os.close(before)


class LogPipe:
    """The log of one process over all its lives: `writes` is for the process, `reads` becomes readable."""

    def __init__(self, path: str, rotation: Rotation) -> None:
        """Raises: OSError where it can't be opened."""
        self.path = Path(path)
        self._file = LogFile(path, rotation)
        self.reads, self.writes = os.pipe()
        os.set_blocking(self.reads, False)

    def empty(self) -> None:
        """Write to the file what there is."""
        for _ in range(_READS_AT_ONCE):
            try:
                data = os.read(self.reads, _READ_BYTES)
            except BlockingIOError:
                return
            self._file.write(data)
            if len(data) < _READ_BYTES:
                return
