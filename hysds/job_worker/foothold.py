"""A worker's foothold on its host: a folder with a lock that is held for life, and a link to each directory that an
attempt of this worker works in.

`.workers/<incarnation>/` below the root of all work directories. The kernel lets go of the lock when the worker dies,
however it dies: whoever then gets the lock has the proof, and finds in the folder what the dead one left behind
(`orphans`). A folder says whose it is, and is only judged on its own host and for its own ledger.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from hysds.job_worker.workdir import WorkDir
from hysds.lib.machine import Machine

FOLDER = ".workers"
_LOCK = "lock"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose foothold it is. `ledger`: which ledger knows the incarnation; without passwords."""

    incarnation: str
    machine: Machine
    ledger: str


class Foothold:
    """This worker's own. Any thread may call any method.

    On a disk that takes no folder the worker works all the same: its jobs then wait for their leases to run out if it
    dies together with its guardian.
    """

    def __init__(self, root: Path, holder: Holder) -> None:
        self._path = folder(root, holder.incarnation)
        self._holder = holder
        self._fd = -1
        self._take()

    def begin(self, place: WorkDir) -> None:
        """An attempt is about to make its directory."""
        link, target = self._link(place), os.path.relpath(place.path, self._path)
        try:
            os.symlink(target, link)
        except FileNotFoundError:
            self.close()
            self._take()  # a job did away with everything below the root
            with suppress(OSError):
                os.symlink(target, link)
        except OSError as error:
            _log.warning("%s can't be noted as a directory in use: %s", place.path, error)

    def over(self, place: WorkDir) -> None:
        """Its end was told, or its directory is gone: nothing is left for others to do."""
        with suppress(OSError):
            os.unlink(self._link(place))

    def close(self) -> None:
        """Let go. A folder with attempts in it stays for whoever takes it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with suppress(OSError):
                if os.listdir(self._path) == [_LOCK]:
                    shutil.rmtree(self._path)
            os.close(fd)

    def _link(self, place: WorkDir) -> Path:
        return self._path / place.path.name

    def _take(self) -> None:
        # Made under another name: whoever finds the folder finds it locked.
        made = self._path.with_name(f".{self._path.name}")
        try:
            made.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(self._fd, json.dumps(asdict(self._holder)).encode())
            made.rename(self._path)
        except OSError as error:
            _log.warning("%s can't be held: %s", self._path, error)
            shutil.rmtree(made, ignore_errors=True)
            self.close()


def folder(root: Path, incarnation: str) -> Path:
    """Where a worker's foothold is."""
    return root / FOLDER / quote(incarnation, safe="@")


def all_folders(root: Path) -> list[Path]:
    """The footholds of all workers, living and dead."""
    try:
        return sorted(path for path in (root / FOLDER).iterdir() if not path.name.startswith("."))
    except OSError:
        return []


@contextmanager
def seized(path: Path) -> Iterator[Holder | None]:
    """Hold the lock of a dead worker's foothold: whose it was. None: it lives, or somebody else is at it."""
    try:
        fd = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield _seize(path / _LOCK, fd)
    finally:
        os.close(fd)


def attempts(path: Path) -> dict[tuple[str, int], Path]:
    """The directories that attempts left in a foothold, by (id, fence)."""
    found = {}
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


def _seize(lock: Path, fd: int) -> Holder | None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(lock).st_ino != os.fstat(fd).st_ino:
            return None
        said = json.loads(os.read(fd, 65536))
        return Holder(said["incarnation"], Machine(**said["machine"]), said["ledger"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
