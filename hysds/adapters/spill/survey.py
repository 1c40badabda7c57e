"""What lies in the directory of a spill, whoever put it there: for figures, and for `doctor`.

Heads of frames alone are read, and of a file that was seen before only what came since.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hysds.adapters.spill import frames, segments
from hysds.adapters.spill.frames import End
from hysds.ports.spill import Held


@dataclass(frozen=True, slots=True)
class Seen:
    """One segment. `of`: whose documents; None where that can't be read. `held`: what is in it."""

    path: Path
    of: str | None
    held: Held
    is_attended: bool
    """A living process is at it."""
    _place: int


class Survey:
    """Looks at the segments of one folder. Any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, Seen] = {}

    def look(self) -> tuple[Seen, ...]:
        """All segments, oldest first. Raises: OSError"""
        found = [_looked(path, self._seen.get(path)) for path in segments.files(self._folder)]
        there = tuple(one for one in found if one is not None)
        self._seen = {one.path: one for one in there}
        return there

    def damaged(self) -> list[Path]:
        """Segments that were put aside because they can't be read. Raises: OSError"""
        return segments.files(self._folder, segments.DAMAGED)


def total(seen: Iterable[Seen], of: str) -> Held:
    """Of one ledger's segments together."""
    held = [one.held for one in seen if one.of == of]
    begun = [one.since_ms for one in held if one.since_ms]
    return Held(
        sum(one.documents for one in held), sum(one.size_bytes for one in held), min(begun, default=0)
    )


def _looked(path: Path, before: Seen | None) -> Seen | None:
    """None where it was dropped meanwhile."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if os.fstat(fd).st_nlink == 0:
            return None
        seen = _counted(fd, _begun(path, fd) if before is None else before)
        # A shared lock for a moment: whoever wants the segment just then comes again.
        return replace(seen, is_attended=not segments.lock(fd, fcntl.LOCK_SH))
    finally:
        os.close(fd)


def _begun(path: Path, fd: int) -> Seen:
    found = frames.owner(fd)
    return (
        Seen(path, None, Held(), False, 0)
        if isinstance(found, End)
        else Seen(path, found[0], Held(), False, found[1])
    )


def _counted(fd: int, seen: Seen) -> Seen:
    if seen._place > os.fstat(fd).st_size:  # a write that failed was taken back
        seen = _begun(seen.path, fd)
    place, documents, since_ms = seen._place, seen.held.documents, seen.held.since_ms
    while seen.of is not None and not isinstance(frame := frames.frame_at(fd, place), End):
        place, documents, since_ms = frame.end, documents + frame.count, since_ms or frame.at_ms
    return replace(seen, held=Held(documents, os.fstat(fd).st_size, since_ms), _place=place)
