"""Facts about many jobs on disk, by parts: a comparison of 10^6 jobs has a part of them in memory at a time."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from hysds.core.differences import Seen, Views

_PARTS = 64


class Side(StrEnum):
    """Whose facts."""

    LEDGER = "l"
    ARCHIVE = "a"
    STORE = "s"
    STREAM = "e"


class Sheet:
    """What is noted of jobs, in a directory of its own for as long as the block runs. Of several notes of one side the
    highest revision counts. About 120 bytes a note."""

    def __init__(self, parts: int = _PARTS) -> None:
        self._parts = parts
        self._open = ExitStack()

    def __enter__(self) -> Sheet:
        folder = Path(self._open.enter_context(TemporaryDirectory(prefix="hysds-compare-")))
        self._files = [
            self._open.enter_context((folder / str(part)).open("w+", encoding="ascii"))
            for part in range(self._parts)
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def note(self, side: Side, id: str, seen: Seen) -> None:
        """Remember how a job looks from a side."""
        row = (side.value, id, seen.revision, seen.digest, seen.ended, seen.generation)
        part = zlib.crc32(id.encode("utf-8", "surrogatepass")) % self._parts
        self._files[part].write(json.dumps(row) + "\n")

    def parts(self) -> Iterator[dict[str, Views]]:
        """All jobs, a part at a time."""
        for file in self._files:
            file.seek(0)
            views: dict[str, Views] = {}
            for line in file:
                side, id, revision, digest, ended, generation = json.loads(line)
                seen = Seen(revision, digest, ended, generation)
                views[id] = _with(views.get(id, _NOTHING), Side(side), seen)
            yield views


_NOTHING = Views()


def _with(views: Views, side: Side, seen: Seen) -> Views:
    match side:
        case Side.LEDGER:
            return replace(views, ledger=_newer(views.ledger, seen))
        case Side.ARCHIVE:
            return replace(views, archive=_newer(views.archive, seen))
        case Side.STORE:
            return replace(views, store=_newer(views.store, seen))
        case Side.STREAM:
            return replace(views, pending=max(views.pending, seen.revision))


def _newer(known: Seen | None, seen: Seen) -> Seen:
    """The mark of a purge stands above a document of its revision, whichever an archive tells of first."""
    return known if known is not None and _rank(known) > _rank(seen) else seen


def _rank(seen: Seen) -> tuple[int, bool]:
    return seen.revision, not seen.digest
