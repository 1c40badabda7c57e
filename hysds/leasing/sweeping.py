"""Removes the work directories of purged jobs on this host: nothing outside of them, and none that is in use.

Below the root no link is followed, neither on the way nor in a directory. A directory stays, and is looked at again,
while an attempt may live in it or any process has it, or something below it, as its working directory.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from hysds.leasing import foothold, workdir
from hysds.ports.litter import Ground, Litter

_PROC = Path("/proc")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_log = logging.getLogger(__name__)


class Sweeper:
    """One host's. `proc` is where the kernel tells of processes."""

    def __init__(self, root: Path, host: str, litter: Litter, proc: Path = _PROC) -> None:
        self._root = root
        self._ground = Ground(host, str(root))
        self._litter = litter
        self._proc = proc

    def watch(self, closing: threading.Event, interval_s: float) -> None:
        """Look at once and then again and again, until `closing`."""
        while True:
            try:
                self.sweep()
            except Exception:  # noqa: BLE001  the outer shell of a thread: what is left waits for the next round
                _log.exception("directories of purged jobs could not be removed")
            if closing.wait(interval_s):
                return

    def sweep(self) -> int:
        """Remove what can be removed; answers of how many jobs nothing is left.

        Raises: Unreachable
        """
        count, cursor, is_first = 0, "", True
        while cursor or is_first:
            is_first = False
            cursor, jobs = self._litter.lying(self._ground, cursor)
            if jobs:
                gone = self._remove(jobs)
                self._litter.swept(self._ground, gone)
                count += len(gone)
        if count:
            _log.info("directories of %d purged jobs are removed", count, extra={"action": "sweep"})
        return count

    def _remove(self, jobs: Mapping[str, int]) -> tuple[str, ...]:
        used = _Used(self._root, self._proc)
        folders: dict[Path, set[str]] = {}
        for id_, accepted_ms in jobs.items():
            link = workdir.locate(self._root, id_, 0, accepted_ms).link
            folders.setdefault(link.parent, set()).add(id_)
        gone = [id_ for folder, ids in folders.items() for id_ in ids - self._clear(folder, ids, used)]
        return tuple(gone)

    def _clear(self, folder: Path, ids: set[str], used: _Used) -> set[str]:
        """Remove all that is of these jobs in a folder; those of which something is left."""
        try:
            with _opened(self._root, folder) as fd:
                mine = [(name, _id_of(name)) for name in os.listdir(fd)]
                return {
                    id_
                    for name, id_ in mine
                    if id_ in ids and (used.holds(folder / name) or not _removed(folder / name, fd))
                }
        except FileNotFoundError:
            return set()
        except OSError as error:
            _log.warning("%s: directories of purged jobs are left in it: %s", folder, error)
            return ids


class _Used:
    """Directories that somebody may be at, as of one moment."""

    def __init__(self, root: Path, proc: Path) -> None:
        self._root, self._real = str(root), os.path.realpath(root)
        self._attempts = {
            path.name for life in foothold.all_folders(root) for path in foothold.attempts(life).values()
        }
        self._stood_in = tuple(_stood_in(proc))

    def holds(self, path: Path) -> bool:
        real = str(path).replace(self._root, self._real, 1)
        return path.name in self._attempts or any(
            place == real or place.startswith(f"{real}/") for place in self._stood_in
        )


def _stood_in(proc: Path) -> Iterator[str]:
    """The working directories of all processes that may be looked at."""
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                yield os.readlink(entry / "cwd")


@contextmanager
def _opened(root: Path, folder: Path) -> Iterator[int]:
    """A folder below the root, reached without following a link."""
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folder.relative_to(root).parts:
            below = os.open(part, _FOLDER, dir_fd=fd)
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


def _id_of(name: str) -> str:
    """Whose it is: `<id>`, `<id>.f<fence>`, `.<id>.f<fence>.link`; "" of anything else."""
    head, _, fence = name.removeprefix(".").removesuffix(".link").partition(".f")
    return head if not fence or fence.isdecimal() else ""


def _removed(path: Path, folder_fd: int) -> bool:
    """Whether it is gone now."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path.name, dir_fd=folder_fd, follow_symlinks=False).st_mode)
        if not is_folder:
            os.unlink(path.name, dir_fd=folder_fd)
            return True
    except FileNotFoundError:
        return True
    shutil.rmtree(path.name, ignore_errors=True, dir_fd=folder_fd)
    if path.name in os.listdir(folder_fd):
        workdir.open_up(path)
        shutil.rmtree(path.name, ignore_errors=True, dir_fd=folder_fd)
    return path.name not in os.listdir(folder_fd)
