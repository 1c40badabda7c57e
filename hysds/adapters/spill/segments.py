"""The segment files of a spill: their names, their locks, how one is read to its end and dropped.

Who writes or reads a segment holds its lock (flock) for so long: the kernel lets go of it however a process ends, and
whoever gets it then goes on with the file from its beginning.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hysds.adapters.spill import frames
from hysds.adapters.spill.frames import End, Frame
from hysds.core.errors import Unreachable
from hysds.ports.spill import Portion

ENDING, DAMAGED = ".spill", ".damaged"
_LOG = logging.getLogger("hysds.spill")


@dataclass(slots=True)
class Reading:
    """A segment that is read under its lock. `place`: where the next frame begins."""

    path: Path
    fd: int
    place: int
    frame: Frame | None = None
    is_damaged: bool = False

    def next(self) -> Portion | End:
        """The portion at `place`; the same until `place` moves. A damaged one is passed over."""
        while not isinstance(found := frames.frame_at(self.fd, self.place), End):
            self.frame = found
            portion = frames.portion_of(self.fd, found)
            if isinstance(portion, Portion):
                return portion
            self.is_damaged = True
            self.pass_on()
        return End.DAMAGED if self.is_damaged else found

    def pass_on(self) -> None:
        """What `next` gave is done with."""
        if self.frame is not None:
            self.place, self.frame = self.frame.end, None

    def finish(self, how: End) -> None:
        """Nothing more is read: drop the file, or keep what of it can't be read for people."""
        if how is End.DAMAGED:
            kept = self.path.with_suffix(DAMAGED)
            os.rename(self.path, kept)
            _LOG.error(
                "%s can't be read as a whole: documents of ended jobs may be lost", kept,
                extra={"action": "spill_damaged"},
            )  # fmt: skip
        else:
            if how is End.TORN:
                _LOG.info(
                    "%s ends in %s: its writer was killed, nothing of it was confirmed", self.path, how.value
                )
            os.unlink(self.path)
        os.close(self.fd)


def files(folder: Path, ending: str = ENDING) -> list[Path]:
    """All segments, oldest first."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(ending))
    except FileNotFoundError:
        return []
    return [folder / name for name in names]


def size_bytes(folder: Path) -> int:
    """Of all files of a spill, those too that can't be read."""
    total = 0
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):
                total += entry.stat().st_size
    return total


def taken(path: Path, of: str) -> Reading | None:
    """The segment under its lock; None where somebody is at it, it is gone, or another ledger's."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    reading = None
    try:
        reading = _locked(path, fd, of)
    finally:
        if reading is None:
            os.close(fd)
    return reading


def _locked(path: Path, fd: int, of: str) -> Reading | None:
    if not lock(fd) or os.fstat(fd).st_nlink == 0:
        return None  # who had it before has just dropped it
    found = frames.owner(fd)
    if isinstance(found, End):
        return Reading(path, fd, os.fstat(fd).st_size if found is End.TORN else 0)
    return Reading(path, fd, found[1]) if found[0] == of else None


def lock(fd: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Whether nobody else has it; then it is ours until the file is closed."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def errors(folder: Path) -> Iterator[None]:
    """Turn what the file system says into Unreachable, with what to do."""
    try:
        yield
    except OSError as error:
        text = f"{error.strerror} ({error.filename or folder}); look at the disk and at who may write there"
        raise Unreachable("spill", text) from error
