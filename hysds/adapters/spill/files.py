"""A spill as segment files in a directory of this host, shared by its processes.

Each process appends to a segment of its own and drops segments that it has drained; one of a process that ended is
taken by any other. A portion is one write and one fsync. Several ledgers may share the directory.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hysds.adapters.spill import frames, segments, survey
from hysds.adapters.spill.frames import End
from hysds.adapters.spill.segments import Reading
from hysds.core.errors import Full
from hysds.lib import clocks, units
from hysds.ports.spill import Held, Portion

SEGMENT_BYTES = 8_000_000
"""A segment is closed above it: so much is read once more after a kill."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be spilled: so many bytes in all, and only while the disk has so many left besides."""

    limit_bytes: int
    keep_free_bytes: int
    segment_bytes: int = SEGMENT_BYTES


class FileSpill:
    """The spill in `folder`, which is made at the first need. `of`: whose documents these are, in one line: segments
    of another ledger are left alone.
    """

    def __init__(
        self, folder: Path, of: str, room: Room, wall_ms: Callable[[], int] = clocks.wall_ms
    ) -> None:
        self._folder = folder
        self._of = of
        self._room = room
        self._wall_ms = wall_ms
        self._writing: _Writing | None = None
        self._reading: Reading | None = None
        self._named_ms = 0
        """By which the newest segment is named; a process's own stand in the order in which they were begun."""
        self._survey = survey.Survey(folder)

    def append(self, portion: Portion) -> None:
        with segments.errors(self._folder):
            data = frames.packed(portion, self._wall_ms())
            self._check_room(len(data))
            if self._writing is not None and self._writing.is_over(self._room.segment_bytes):
                self._seal()
            try:
                if self._writing is None:
                    self._named_ms = max(self._wall_ms(), self._named_ms + 1)
                    self._writing = _begun(self._folder, self._of, self._named_ms)
                self._writing.add(data)
            except OSError as error:
                self._recover()
                if error.errno in _NO_ROOM:
                    raise Full(f"the spill in {self._folder} has no room: {error.strerror}") from error
                raise

    def oldest(self) -> Portion | None:
        with segments.errors(self._folder):
            while self._reading is not None or self._take():
                assert self._reading is not None
                found = self._reading.next()
                if isinstance(found, Portion):
                    return found
                self._drop(found)
            return None

    def done(self) -> None:
        with segments.errors(self._folder):
            if self._reading is None:
                return
            self._reading.pass_on()
            found = self._reading.next()
            if isinstance(found, End):
                self._drop(found)

    def held(self) -> Held:
        with segments.errors(self._folder):
            return survey.total(self._survey.look(), self._of)

    def close(self) -> None:
        self._seal()
        if self._reading is not None:
            os.close(self._reading.fd)
            self._reading = None

    def _recover(self) -> None:
        """After a write that failed: take its part away, or leave the file as it is and write no more to it."""
        try:
            if self._writing is not None:
                os.ftruncate(self._writing.fd, self._writing.size_bytes)
        except OSError:
            self._seal()

    def _check_room(self, size_bytes: int) -> None:
        used = segments.size_bytes(self._folder)
        if used + size_bytes > self._room.limit_bytes:
            limit = units.format_size(self._room.limit_bytes)
            raise Full(f"the spill in {self._folder} is at its limit of {limit}: raise indexer.spill_limit")
        there = next(path for path in (self._folder, *self._folder.parents) if path.exists())
        disk = os.statvfs(there)
        if disk.f_bavail * disk.f_frsize - size_bytes < self._room.keep_free_bytes:
            kept = units.format_size(self._room.keep_free_bytes)
            raise Full(f"the disk of {self._folder} has less than {kept} free: free some")

    def _take(self) -> bool:
        for path in segments.files(self._folder):
            if self._writing is not None and path == self._writing.path:
                self._seal()
            self._reading = segments.taken(path, self._of)
            if self._reading is not None:
                return True
        return False

    def _drop(self, how: End) -> None:
        assert self._reading is not None
        self._reading.finish(how)
        self._reading = None

    def _seal(self) -> None:
        if self._writing is not None:
            os.close(self._writing.fd)
            self._writing = None


@dataclass(slots=True)
class _Writing:
    """A segment that this process appends to, under its lock."""

    path: Path
    fd: int
    size_bytes: int

    def add(self, data: bytes) -> None:
        """Durable afterwards; after an error, whether a part of it is there is not known."""
        left = memoryview(data)
        while left:
            left = left[os.write(self.fd, left) :]
        os.fsync(self.fd)
        self.size_bytes += len(data)

    def is_over(self, limit_bytes: int) -> bool:
        """Whether it is large enough, or somebody took the file away: what goes there now is lost."""
        return self.size_bytes >= limit_bytes or not self._is_there()

    def _is_there(self) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(os.stat(self.path), os.fstat(self.fd))
        return False


def _begun(folder: Path, of: str, now_ms: int) -> _Writing:
    """A new segment. Whoever finds it before it is locked finds nothing in it, and drops it: then another is made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    while True:
        path = folder / f"{now_ms:013}-{os.urandom(4).hex()}{segments.ENDING}"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        writing = _Writing(path, fd, 0)
        try:
            if segments.lock(fd):
                writing.add(frames.first_line(of))
                if not writing.is_over(1 << 62):
                    _sync(folder)
                    return writing
        except OSError:
            os.close(fd)
            with suppress(OSError):
                os.unlink(path)
            raise
        os.close(fd)


def _sync(folder: Path) -> None:
    """The names in a directory too survive a power loss."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
