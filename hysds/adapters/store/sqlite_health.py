"""What may be wrong with the store's file. It is opened to be read alone, and made nowhere."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from hysds.adapters.store import sqlite_file
from hysds.core.errors import Unreachable
from hysds.lib import units
from hysds.ports import findings
from hysds.ports.findings import Finding

_CHECK_WITHIN_S = 3.0
_STEPS = 100_000
_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})


def check(path: Path) -> list[Finding]:
    """All that was found.

    Raises: Unreachable
    """
    where = str(path)
    if not path.exists():
        return [findings.note("store.new", "no document was written yet", where)]
    kind = sqlite_file.file_system(path.parent, Path("/proc/self/mountinfo"))
    if sqlite_file.is_shared(kind):
        mend = "move store.url to a local disk"
        return [findings.error("store.network", f"it lies on {kind}, a network file system", where, mend)]
    with sqlite_file.errors(path), closing(_reading(path)) as connection:
        try:
            return [*_size(path), *_letters(connection, where), _integrity(connection, where)]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname not in _DAMAGED:
                raise
            return [_damaged(str(error), where)]


def _reading(path: Path) -> sqlite3.Connection:
    if not os.access(path, os.R_OK | os.W_OK):
        raise Unreachable(
            "store", f"{path} may not be read and written by this user; check its owner and mode"
        )
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=1)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _size(path: Path) -> Iterator[Finding]:
    log = path.with_name(f"{path.name}-wal")
    beside = log.stat().st_size if log.exists() else 0
    size = path.stat().st_size
    yield findings.ok(
        "store.size",
        f"{units.format_size(size)}, {units.format_size(beside)} in its write-ahead log",
        str(path),
    )


def _letters(connection: sqlite3.Connection, where: str) -> Iterator[Finding]:
    count, newest = connection.execute(
        "SELECT count(*), (SELECT reason FROM dead_letters ORDER BY at DESC LIMIT 1) FROM dead_letters"
    ).fetchone()
    if count:
        text = f"{count} jobs have no document of their last revision; the newest: {newest:.200}"
        yield findings.warning(
            "store.dead_letters",
            text,
            where,
            "see the reasons in the indexer's log; the jobs themselves are not lost",
        )


def _integrity(connection: sqlite3.Connection, where: str) -> Finding:
    """As far as it can be read in a few seconds."""
    until_s = time.monotonic() + _CHECK_WITHIN_S
    connection.set_progress_handler(lambda: time.monotonic() > until_s, _STEPS)
    try:
        [first, *_] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as stopped:
        if stopped.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        return findings.note("store.unchecked", "too large to be checked in a few seconds", where)
    if first == "ok":
        return findings.ok("store.whole", "its file is whole")
    return _damaged(first, where)


def _damaged(how: str, where: str) -> Finding:
    mend = (
        "stop the indexers and put a copy of the file in its place: what happened since is not written again"
    )
    return findings.error("store.damaged", f"its file is damaged: {how}", where, mend)
