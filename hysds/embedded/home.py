"""The files of an embedded system: directories that nobody else can look into, one lock, and nobody else's data.

    <home>/run/      valkey.sock, warden.sock, embedded.lock, running (until all has ended in order)
    <home>/log/      files of a process: the newest, and those before it
    <home>/valkey/   the ledger's append-only files, and `hysds-ledger`, by which we know them as ours

What lies there and is not ours is refused, never overwritten; until all checks have passed, no file is changed.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import time
from pathlib import Path

from hysds.embedded.errors import ForeignFiles, HomeInUse
from hysds.embedded.warden import mark
from hysds.lib import owners
from hysds.lib.process.guard import tree

SOCKET_PATH_MOST = 107
"""Bytes that the kernel has for the path of a unix socket."""

_LOOK_EVERY_S = 0.02
_WARDEN_ANSWERS_S = 1.0
_CLAIM = "hysds-ledger"
_FORMAT = "1\n"


class Home:
    """The directory of one system."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.run = self.path / "run"
        self.log = self.path / "log"
        self.data = self.path / "valkey"
        self.socket = self.run / "valkey.sock"
        self.door = self.run / "warden.sock"
        """Where the warden of a running system is asked."""
        self.lock = self.run / "embedded.lock"
        self.mark = self.run / "running"
        self._claim = self.data / _CLAIM

    def log_of(self, name: str) -> Path:
        """The newest file of a process."""
        return self.log / f"{name}.log"

    def prepare(self, patience_s: float = 0.0) -> int:
        """Make the directories and take the lock; answers the lock's descriptor, which holds it while it is open.

        `patience_s`: how long a system of which no warden answers may take to end, or to begin.
        Raises: ForeignFiles, HomeInUse; OSError where the file system refuses.
        """
        if len(os.fsencode(self.socket)) > SOCKET_PATH_MOST:
            raise ForeignFiles(
                f"the path of the ledger's socket, {self.socket}, has {len(os.fsencode(self.socket))} bytes and may "
                f"have {SOCKET_PATH_MOST}: set HYSDS_HOME to a shorter path"
            )
        for directory in (self.path, self.run):
            _make_private(directory, is_ours=directory is not self.path)
        lock = self._take_lock(time.monotonic() + patience_s)
        try:
            for directory in (self.log, self.data):
                _make_private(directory)
            self._claim_data()
            for path in (self.socket, self.door):
                _clear_socket(path)
        except BaseException:
            os.close(lock)
            raise
        return lock

    def note_holders(self, lock: int, *pids: int) -> None:
        """Write into the lock file whom to name to others who want it."""
        _write(lock, "".join(f"{pid}\n" for pid in pids).encode(), self.lock)

    def refusal(self) -> ForeignFiles:
        """What to raise where the kernel does not let this user look."""
        return ForeignFiles(f"{owners.refusal(self.door)}; set HYSDS_HOME to a directory of your own")

    def is_attended(self) -> bool:
        """Whether a warden is there. A socket that a dead one left refuses, one that is being killed says nothing and
        closes; one that is stopped, or too busy to accept, is there.

        Raises: ForeignFiles where it is another user's.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_WARDEN_ANSWERS_S)
            try:
                connection.connect(str(self.door))
                connection.sendall(b'{"tell": "state"}\n')
                return connection.recv(1) != b""
            except (FileNotFoundError, NotADirectoryError, ConnectionError):
                return False
            except PermissionError as error:
                raise self.refusal() from error
            except OSError:
                return True

    def is_locked(self) -> bool:
        """Whether some process holds the home. The lock tells, never the file that names its holders.

        Raises: ForeignFiles where it is another user's.
        """
        try:
            fd = os.open(self.lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except PermissionError as error:
            raise self.refusal() from error
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def crashed_s(self) -> float | None:
        """When the system that ran here last did not end in order: its last write, wall seconds. None: it did, or
        nobody knows. To be asked where nothing runs."""
        if not mark.stands(str(self.mark)):
            return None
        written_s = [
            _written_s(path) for path in (self.mark, *self.log.glob("*.log"), *self.data.glob("*/*.aof"))
        ]
        return max(written_s)

    def holder(self) -> int | None:
        """A process to name as the one that has the home; for people, as it may not be so any more."""
        try:
            return _first_alive(self.lock.read_bytes())
        except OSError:
            return None

    def _take_lock(self, until_s: float) -> int:
        fd = _open(self.lock, os.O_RDWR | os.O_CREAT)
        try:
            while not _has_locked(fd):
                if self.is_attended() or time.monotonic() >= until_s:
                    raise self._in_use(self.holder())
                time.sleep(_LOOK_EVERY_S)
            self.note_holders(fd, os.getpid())
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _in_use(self, pid: int | None) -> HomeInUse:
        who = "another process" if pid is None else f"process {pid}"
        return HomeInUse(
            f"the system under {self.path} is in use by {who}: wait until it has ended, or set HYSDS_HOME to another "
            "directory",
            pid,
        )

    def _claim_data(self) -> None:
        """Our mark stands before the first data does, so data without it are not ours."""
        if self._claim.is_file() and not self._claim.is_symlink():
            if self._claim.read_text(errors="replace") != _FORMAT:
                raise ForeignFiles(
                    f"{self.data} was written by another version of HySDS: use that version, or set HYSDS_HOME to "
                    "another directory"
                )
            return
        found = sorted(entry.name for entry in self.data.iterdir())
        if found:
            raise ForeignFiles(
                f"{self.data} holds files that are not ours ({', '.join(found[:3])}): move them away, or set "
                "HYSDS_HOME to another directory"
            )
        # Written beside the data and moved there: half a mark, of a full disk or a crash, would be no mark of ours.
        aside = self.run / f"{self._claim.name}.part"
        fd = _open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            _write(fd, _FORMAT.encode(), aside)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(aside, self._claim)


def open_log(path: Path) -> int:
    """A descriptor to append to a log.

    Raises: ForeignFiles where something else than a file of ours has that name.
    """
    return _open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _make_private(directory: Path, is_ours: bool = True) -> None:
    """Mode 700, made or mended; a home that somebody else made (`is_ours` False) only must not be open to writers."""
    try:
        directory.mkdir(mode=0o700, parents=not is_ours)
    except FileExistsError:
        pass
    except NotADirectoryError:
        raise ForeignFiles(f"{directory} can't be made: a part of the path is no directory") from None
    found = os.lstat(directory) if is_ours else os.stat(directory)
    if not stat.S_ISDIR(found.st_mode):
        raise ForeignFiles(
            f"{directory} is no directory: move it away, or set HYSDS_HOME to another directory"
        )
    if found.st_uid != os.geteuid():
        raise ForeignFiles(f"{directory} belongs to another user: set HYSDS_HOME to a directory of your own")
    if is_ours:
        directory.chmod(0o700)
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ForeignFiles(f"others may write to {directory}: run `chmod go-w {directory}`")


def _clear_socket(path: Path) -> None:
    """A server would delete whatever has this name. We hold the lock: a socket is left over."""
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise ForeignFiles(f"{path} is no socket and not ours: move it away")
    path.unlink()


def _has_locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(fd: int, data: bytes, path: Path) -> None:
    """Put this in place of what a file holds. Raises: OSError that names it: a write knows its descriptor alone."""
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, data, 0)
    except OSError as error:
        error.filename = str(path)
        raise


def _open(path: Path, flags: int) -> int:
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if (
            error.errno is not None
            and os.path.lexists(path)
            and not (path.is_file() and not path.is_symlink())
        ):
            raise ForeignFiles(f"{path} is no plain file and not ours: move it away") from error
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ForeignFiles(f"{path} is no plain file and not ours: move it away")
    return fd


def _written_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _first_alive(text: bytes) -> int | None:
    pids = [int(line) for line in text.split() if line.isdigit()]
    return next((pid for pid in pids if tree.is_alive(pid)), None)
