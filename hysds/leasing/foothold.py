"""A worker's foothold on its host: a folder with a lock that is held for life, and a link to each directory that an
attempt of this worker works in.

`.workers/<incarnation>/` below the root of all work directories. The kernel lets go of the lock when the worker dies,
however it dies: whoever then gets the lock has the proof, and finds in the folder what the dead one left behind
(`orphans`). A folder says whose it is, and is only judged on its own host and for its own ledger. The lock says which
file it is: of a copy, which nobody ever held, nothing follows.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from hysds.leasing.workdir import WorkDir
from hysds.lib.machine import Machine
from hysds.lib.process.suspects import Origin

FOLDER = ".workers"
_LOCK = "lock"
_NEW_LOCK = ".lock"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose foothold it is. `ledger`: which ledger knows the incarnation; without passwords. `origin`: of the processes
    of its jobs.
    """

    incarnation: str
    machine: Machine
    ledger: str
    origin: Origin


class Unjudged(Enum):
    """Why nothing follows from a folder."""

    HELD = "its worker lives"
    BARE = "it has no lock file: whether its worker lives can't be known"
    UNREADABLE = "its lock file can't be read"
    COPY = (
        "it is a copy of a worker's folder, or was put there: its lock is not the one that the worker holds"
    )
    ELSEWHERE = "its worker is another host's, or another ledger's"
    UNSEEN = "its worker ran in another pid namespace of this host, whose processes can't be seen from here"


class Foothold:
    """This worker's own. Any thread may call any method.

    On a disk that takes no folder the worker works all the same: its jobs then wait for their leases to run out if it
    dies together with its guardian.
    """

    def __init__(self, root: Path, holder: Holder) -> None:
        self._path = folder(root, holder.incarnation)
        self._holder = holder
        self._using = threading.Lock()
        self._locks: list[int] = []
        """The newest last. One that was moved away, with its folder, is held on to: it would tell of a death."""
        self._links: dict[str, str] = {}
        self._is_closed = False
        self._is_told = False
        with self._using:
            self._mend()

    def begin(self, place: WorkDir) -> None:
        """An attempt is about to make its directory."""
        with self._using:
            self._links[place.path.name] = os.path.relpath(place.path, self._path)
            self._mend()

    def over(self, place: WorkDir) -> None:
        """Its end was told, or its directory is gone: nothing is left for others to do."""
        with self._using:
            self._links.pop(place.path.name, None)
            with suppress(OSError):
                os.unlink(self._path / place.path.name)

    def mend(self) -> None:
        """Put back what a job or a cleaner of old files took away. Costs a look at the folder."""
        with self._using:
            self._mend()

    def close(self) -> None:
        """Let go. A folder with attempts in it stays for whoever takes it."""
        with self._using:
            self._is_closed = True
            with suppress(OSError):
                if self._is_held() and os.listdir(self._path) == [_LOCK]:
                    shutil.rmtree(self._path)
            while self._locks:
                os.close(self._locks.pop())

    def _mend(self) -> None:
        if self._is_closed:
            return
        try:
            if not self._is_held():
                self._take()
            for name in self._links.keys() - set(os.listdir(self._path)):
                os.symlink(self._links[name], self._path / name)
            self._is_told = False
        except OSError as error:
            if not self._is_told:
                _log.warning("%s can't be held, which is tried again and again: %s", self._path, error)
            self._is_told = True

    def _is_held(self) -> bool:
        try:
            return bool(self._locks) and os.path.samestat(
                os.stat(self._path / _LOCK), os.fstat(self._locks[-1])
            )
        except FileNotFoundError:
            return False

    def _take(self) -> None:
        # Made under another name: whoever finds the lock finds it locked.
        self._path.mkdir(parents=True, exist_ok=True)
        made = self._path / _NEW_LOCK
        made.unlink(missing_ok=True)
        fd = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(fd, json.dumps(asdict(self._holder) | {"lock": _identity(fd)}).encode())
            made.rename(self._path / _LOCK)
        except OSError:
            made.unlink(missing_ok=True)
            os.close(fd)
            raise
        for old in [one for one in self._locks if os.fstat(one).st_nlink == 0]:
            self._locks.remove(old)
            os.close(old)
        self._locks.append(fd)


def folder(root: Path, incarnation: str) -> Path:
    """Where a worker's foothold is."""
    return root / FOLDER / quote(incarnation, safe="@")


def incarnation(path: Path) -> str:
    """Whose foothold a folder is by its name."""
    return unquote(path.name)


def all_folders(root: Path) -> list[Path]:
    """The footholds of all workers, living and dead."""
    try:
        return sorted(path for path in (root / FOLDER).iterdir() if not path.name.startswith("."))
    except OSError:
        return []


@contextmanager
def seized(path: Path, here: Machine) -> Iterator[Holder | Unjudged]:
    """Hold the lock of a dead worker's foothold: whose it was; or why it can't be held, or tells nothing. Somebody else
    may be at it: then it is as if the worker lived.
    """
    try:
        fd = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        yield Unjudged.BARE if isinstance(error, FileNotFoundError) else Unjudged.UNREADABLE
        return
    try:
        yield _seize(path, fd, here)
    finally:
        os.close(fd)


def attempts(path: Path) -> dict[tuple[str, int], Path]:
    """The directories that attempts left in a foothold, by (id, fence)."""
    found = {}
    with suppress(OSError):  # somebody does away with all of it at this moment
        for link in path.iterdir():
            id_, _, fence = link.name.rpartition(".f")
            if id_ and fence.isdecimal() and link.is_symlink():
                found[id_, int(fence)] = Path(os.path.normpath(path / os.readlink(link)))
    return found


def forget(path: Path, id: str, fence: int) -> None:
    """Nothing of this attempt is left to be done."""
    with suppress(OSError):
        os.unlink(path / f"{id}.f{fence}")


def remove(path: Path) -> None:
    """Take a foothold away; its lock is held."""
    shutil.rmtree(path, ignore_errors=True)


def _seize(path: Path, fd: int, here: Machine) -> Holder | Unjudged:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.stat(path / _LOCK), os.fstat(fd)):
            return Unjudged.HELD  # it was taken away or replaced just now
        said = json.loads(os.read(fd, 65536))
        holder = _holder(said)
        is_named = path.name == quote(holder.incarnation, safe="@")
        is_same = said["lock"] == _identity(fd)
    except BlockingIOError:
        return Unjudged.HELD
    except (OSError, ValueError, TypeError, KeyError):
        return Unjudged.UNREADABLE
    # A disk's number may be another after a reboot; but then nobody lives who could be taken for dead.
    return holder if is_named and (is_same or holder.machine.boot_id != here.boot_id) else Unjudged.COPY


def _holder(said: dict[str, Any]) -> Holder:
    machine, origin = Machine(**said["machine"]), Origin(**said["origin"])
    return Holder(said["incarnation"], machine, said["ledger"], origin)


def _identity(fd: int) -> list[int]:
    status = os.fstat(fd)
    return [status.st_dev, status.st_ino]
