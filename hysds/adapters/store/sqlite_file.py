"""The file of the SQLite store: how it is made, whose it is, on which disks it may lie, what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib import resources
from pathlib import Path

from hysds.adapters.store import sqlite_leaves
from hysds.core.errors import Refused, Unreachable

APPLICATION = 0x48795344
"""`HySD`, in the file's header: this file is ours."""

SCHEMA = 5
"""The version of schema.sql."""

_WITH_LEAVES = 4
"""The first schema whose full-text table has the values inside params and context."""

_NETWORK = frozenset(
    {
        "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre",
        "nfs", "nfs4", "ocfs2", "smb3", "smbfs",
    }
)  # fmt: skip
"""File systems of several machines: the shared memory of SQLite's write-ahead log does not reach over."""

_MEANINGS = {
    "SQLITE_BUSY": "another process held it for too long; look for one that hangs",
    "SQLITE_FULL": "the disk is full; free some space",
    "SQLITE_READONLY": "it may not be written; check its owner, its mode and the disk's",
    "SQLITE_CANTOPEN": "it can't be opened; check the directory's owner and mode",
    "SQLITE_PERM": "it may not be opened; check its owner and mode",
    "SQLITE_IOERR": "the disk failed or is full",
    "SQLITE_CORRUPT": "it is damaged; put it aside and restore it",
    "SQLITE_NOTADB": "it is damaged; put it aside and restore it",
}


@contextmanager
def errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into Unreachable, with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", None) or ""
        meaning = next((text for name, text in _MEANINGS.items() if code.startswith(name)), "see the message")
        raise Unreachable("store", f"{path}: {error} ({meaning})") from error
    except OSError as error:
        raise Unreachable("store", f"{path}: {error}") from error


def open_store(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection to the store's file, which is made where there is none.

    Raises: Refused for a file of another application, of a newer schema, or on a network file system;
    sqlite3.Error and OSError for all else.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kind = file_system(path.parent, Path("/proc/self/mountinfo"))
    if is_shared(kind):
        raise Refused(f"{path} lies on {kind}, a network file system; move store.url to a local disk")
    if not path.exists():
        _make(path)
    connection = _connect(path, busy_timeout_s)
    try:
        if _checked_version(connection, path) < SCHEMA:
            _upgrade(connection)
        # What was answered as written is confirmed to the ledger, so it must survive a power loss.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
    except BaseException:
        connection.close()
        raise
    return connection


def is_shared(kind: str) -> bool:
    """Whether a kind of file system is one of several machines, where the store can't lie."""
    return kind in _NETWORK


def file_system(path: Path, mounts: Path) -> str:
    """The kind of file system that a path lies on, by the kernel's table of mounts; "" where that can't be
    told."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    device = os.stat(path).st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        left, _, right = line.partition(" - ")
        if left.split()[2:3] == [name]:
            return right.split()[0] if right.split() else ""
    return ""


def _make(path: Path) -> None:
    """Make the file whole beside its place and put it there in one step: nobody ever sees half of it.

    Whoever comes second finds the first one's file in place, and uses that.
    """
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        made = Path(folder) / path.name
        with closing(_connect(made, 0)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(
                f"BEGIN IMMEDIATE;{_schema()}"
                f"PRAGMA application_id = {APPLICATION};PRAGMA user_version = {SCHEMA};COMMIT;"
            )
        made.chmod(0o600)
        with suppress(FileExistsError):
            os.link(made, path)
    folder_fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder_fd)  # the name too survives a power loss
    finally:
        os.close(folder_fd)


def _schema() -> str:
    return resources.files("hysds.adapters.store").joinpath("schema.sql").read_text(encoding="utf-8")


def _connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    # Without isolation_level the transactions are ours; the store's lock lets threads share the connection.
    return sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)


def _upgrade(connection: sqlite3.Connection) -> None:
    """To this schema: the script makes the tables and indexes that are not there; a column is added before."""
    with suppress(sqlite3.OperationalError):  # it is there: since schema 3, or another process was first
        connection.execute("ALTER TABLE jobs ADD COLUMN parent TEXT NOT NULL DEFAULT ''")
    connection.executescript(f"BEGIN IMMEDIATE;{_schema()}")
    try:
        (version,) = connection.execute(
            "PRAGMA user_version"
        ).fetchone()  # another process may have been first
        if version < _WITH_LEAVES:
            sqlite_leaves.add(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    """Of the schema that the file has.

    Raises: Refused for a file that is not ours, or of a newer HySDS.
    """
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
            raise
        raise Refused(f"{path} is no SQLite file; set store.url to another one") from error
    if application != APPLICATION:
        raise Refused(f"{path} belongs to another application; set store.url to another file")
    if version > SCHEMA:
        raise Refused(
            f"{path} was written by a newer HySDS (schema {version}; this one knows {SCHEMA}); "
            "upgrade this one"
        )
    return int(version)
