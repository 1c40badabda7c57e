"""What workers of this host left that died together with whatever guarded their jobs: ended, told, cleared away.

The proof of a worker's death is its lock (`foothold`). Its processes are killed and proved gone before the ledger is
told, so that no job runs twice; of its directories those go whose attempts nobody ever ended.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from hysds.core.errors import HysdsError
from hysds.core.requests import Ready
from hysds.core.status import Status
from hysds.job_worker import environment, foothold, workdir
from hysds.job_worker.foothold import Holder
from hysds.job_worker.workdir import WorkDir
from hysds.lib.process import leftovers
from hysds.ports.ledger import Kept, Ledger

_KILLED_WITHIN_S = 10.0
"""Processes that take longer to die are looked after again with the next round."""
_log = logging.getLogger(__name__)


class Orphans:
    """Takes what is left. `here`: who asks, by which host and for which ledger it judges."""

    def __init__(self, root: Path, ledger: Ledger, here: Holder) -> None:
        self._root = root
        self._ledger = ledger
        self._here = here

    def watch(self, closing: threading.Event, interval_s: float) -> None:
        """Look at once and then again and again, until `closing`."""
        while True:
            try:
                self.take_all()
            except Exception:  # noqa: BLE001  the outer shell of a thread: what is left waits for the next round
                _log.exception("what dead workers left could not be looked after")
            if closing.wait(interval_s):
                return

    def dead(self) -> tuple[tuple[str, int], ...]:
        """Dead workers that nobody has looked after yet, and of how many attempts each left something; only looks."""
        found = []
        for path in foothold.all_folders(self._root):
            with foothold.seized(path) as dead:
                if dead is not None and self._is_ours(dead):
                    found.append((dead.incarnation, len(foothold.attempts(path))))
        return tuple(found)

    def take_all(self) -> tuple[Ready, ...]:
        """Every dead worker of this host and ledger; answers the queues that have work again."""
        ready: list[Ready] = []
        own = foothold.folder(self._root, self._here.incarnation)
        for path in foothold.all_folders(self._root):
            if path == own:
                continue
            try:
                ready += self._take(path)
            except HysdsError as error:
                _log.warning("%s: left for later: %s", path, error)
        return tuple(ready)

    def take(self, incarnation: str) -> tuple[Ready, ...]:
        """One worker, if it is dead.

        Raises: HysdsError when the ledger does not answer or refuses.
        """
        return self._take(foothold.folder(self._root, incarnation))

    def _take(self, path: Path) -> tuple[Ready, ...]:
        with foothold.seized(path) as dead:
            if dead is None or not self._is_ours(dead):
                return ()
            _log.warning("worker %s is dead: what it left is looked after", dead.incarnation)
            if not self._end(dead, path):
                _log.error("worker %s: processes of its jobs can't be killed", dead.incarnation)
                return ()
            moved = self._ledger.leave(dead.incarnation)
            if self._clear(path):
                foothold.remove(path)
            return moved.ready

    def _is_ours(self, dead: Holder) -> bool:
        return dead.machine.is_host_of(self._here.machine) and dead.ledger == self._here.ledger

    def _end(self, dead: Holder, path: Path) -> bool:
        """Whether nothing of its jobs lives: after a reboot nothing can."""
        if dead.machine.boot_id != self._here.machine.boot_id:
            return True
        places = [_place(directory) for directory in foothold.attempts(path).values()]
        outputs = [output for place in places for output in (place.stdout, place.stderr)]
        marks = leftovers.Marks({environment.WORKER: dead.incarnation}, outputs)
        return leftovers.end(marks, _KILLED_WITHIN_S)

    def _clear(self, path: Path) -> bool:
        """Remove the directories of lost attempts; whether nothing is left to be done."""
        left = foothold.attempts(path)
        kept = self._ledger.kept([id_ for id_, _ in left])
        for ((id_, fence), directory), held in zip(left.items(), kept, strict=True):
            place = _place(directory)
            if directory.is_relative_to(self._root / workdir.JOBS) and is_lost(held, fence, place):
                workdir.remove(place)
            if not is_live(held, fence):
                foothold.forget(path, id_, fence)
        return not foothold.attempts(path)


def is_live(kept: Kept | None, fence: int) -> bool:
    """Whether the lease with this fence is somebody's."""
    return kept is not None and kept.record.status is Status.STARTED and kept.record.fence == fence


def is_lost(kept: Kept | None, fence: int, place: WorkDir) -> bool:
    """Whether the attempt ended without a word of its worker, neither by a commit nor by a release.

    Of a job that the ledger has forgotten only the directory itself can tell.
    """
    if kept is None:
        return not place.done.exists()
    if is_live(kept, fence):
        return False
    return not any(attempt.detail for attempt in kept.attempts if attempt.fence == fence)


def _place(directory: Path) -> WorkDir:
    return WorkDir(directory, directory.with_name(directory.name.rpartition(".f")[0]))
