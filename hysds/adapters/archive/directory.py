"""An archive in a directory: each process appends to a segment of its own, and syncs it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysds.adapters.archive import members
from hysds.core.errors import Unreachable
from hysds.lib import clocks
from hysds.ports.store import Document

_SEGMENT_BYTES = 16_000_000
"""A segment is closed above it: a reader holds one at a time."""


@dataclass(slots=True)
class _Segment:
    path: Path
    fd: int
    size_bytes: int = 0

    def is_there(self) -> bool:
        """Whether nobody took the file away: what goes there then is lost."""
        with suppress(FileNotFoundError):
            return os.path.samestat(os.stat(self.path), os.fstat(self.fd))
        return False


class DirectoryArchive:
    """The archive in `folder`, which is made at the first need. It may be on a network's disk."""

    def __init__(
        self, folder: Path, wall_ms: Callable[[], int] = clocks.wall_ms, segment_bytes: int = _SEGMENT_BYTES
    ) -> None:
        self._folder = folder
        self._names = members.Names(wall_ms)
        self._segment_bytes = segment_bytes
        self._segment: _Segment | None = None
        self._lock = threading.Lock()

    def append(self, documents: Sequence[Document]) -> None:
        data = members.packed(documents)
        if not data:
            return
        with self._lock:
            try:
                self._append(data)
            except OSError as error:
                self._give_up()
                raise Unreachable("archive", f"{self.describe()}: {error.strerror}") from error

    def _append(self, data: bytes) -> None:
        segment = self._segment
        if segment is not None and (segment.size_bytes >= self._segment_bytes or not segment.is_there()):
            self._seal()
        if self._segment is None:
            self._segment = self._begun()
        segment, left = self._segment, memoryview(data)
        while left:
            left = left[os.write(segment.fd, left) :]
        os.fsync(segment.fd)
        segment.size_bytes += len(data)

    def _begun(self) -> _Segment:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / self._names.next()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # names too must survive a power loss
        finally:
            os.close(folder)
        return _Segment(path, fd)

    def _give_up(self) -> None:
        """What is half written stays the end of its file: a segment that failed is not written to again."""
        if self._segment is not None:
            with suppress(OSError):
                os.ftruncate(self._segment.fd, self._segment.size_bytes)
        self._seal()

    def _seal(self) -> None:
        if self._segment is not None:
            with suppress(OSError):
                os.close(self._segment.fd)
            self._segment = None

    def read(self, note: Callable[[str], None]) -> Iterator[dict[str, Any]]:
        try:
            names = sorted(one.name for one in os.scandir(self._folder) if one.name.endswith(members.ENDING))
        except FileNotFoundError:
            return
        except OSError as error:
            raise Unreachable("archive", f"{self.describe()}: {error.strerror}") from error
        for name in names:
            try:
                data = (self._folder / name).read_bytes()
            except OSError as error:
                raise Unreachable("archive", f"{self._folder / name}: {error.strerror}") from error
            yield from members.unpacked(data, name, note)

    def describe(self) -> str:
        return str(self._folder)

    def close(self) -> None:
        with self._lock:
            self._seal()
