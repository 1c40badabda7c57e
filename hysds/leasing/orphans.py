"""What workers of this host left that died together with whatever guarded their jobs: ended, told, cleared away.

The proof of a worker's death is its lock (`foothold`). Its processes are killed and proved gone before the ledger is
told, so that no job runs twice, and before the worker that found them bids; of its directories those go whose attempts
nobody ever ended.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hysds.core.errors import HysdsError
from hysds.core.requests import Ready
from hysds.core.status import Status
from hysds.leasing import foothold, workdir
from hysds.leasing.foothold import Holder, Unjudged
from hysds.leasing.marks import MARKS, WORKER
from hysds.leasing.workdir import WorkDir
from hysds.lib.process import leftovers
from hysds.lib.process.leftovers import Marks
from hysds.ports.ledger import Kept, Ledger

_KILLED_WITHIN_S = 10.0
"""Processes that take longer to die are looked after again with the next round."""
_LOOK_AGAIN_S = 0.05
_STILL_THERE = "worker %s: processes that are, or may be, its jobs' live: they are looked after again later"
_AS_IT_SHOULD_BE = (Unjudged.HELD, Unjudged.ELSEWHERE)
_log = logging.getLogger(__name__)


class Orphans:
    """Takes what is left. `here`: who asks, by which host and for which ledger it judges."""

    def __init__(self, root: Path, ledger: Ledger, here: Holder) -> None:
        self._root = root
        self._ledger = ledger
        self._here = here
        self._noted: set[tuple[Path, Unjudged]] = set()
        self._ended: set[Path] = set()
        """Directories of lost attempts whose worker may live, and whose processes do not."""

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
            with self._judged(path) as dead:
                if isinstance(dead, Holder):
                    found.append((dead.incarnation, len(foothold.attempts(path))))
        return tuple(found)

    def unjudged(self) -> tuple[tuple[Path, Unjudged], ...]:
        """Folders from which nothing follows: jobs of a worker that is dead wait for their leases. Only looks."""
        found = []
        for path in foothold.all_folders(self._root):
            with self._judged(path) as why:
                if isinstance(why, Unjudged) and why not in _AS_IT_SHOULD_BE:
                    found.append((path, why))
        return tuple(found)

    def end_all(self) -> None:
        """End the processes of every dead worker, and no more: asks no ledger. To be called before the first bid, which
        may win a job whose lease ran out before its processes did.
        """
        for path in self._others():
            with self._judged(path) as dead:
                if isinstance(dead, Holder) and not self._end(dead, path):
                    _log.error(_STILL_THERE, dead.incarnation)

    def take_all(self) -> tuple[Ready, ...]:
        """Every dead worker of this host and ledger; answers the queues that have work again."""
        ready: list[Ready] = []
        for path in self._others():
            try:
                taken = self._take(path)
                if taken is Unjudged.BARE:
                    self._end_lost(path)
                elif isinstance(taken, tuple):
                    ready += taken
            except HysdsError as error:
                _log.warning("%s: left for later: %s", path, error)
        return tuple(ready)

    def take(self, incarnation: str, patience_s: float = 0.0) -> tuple[Ready, ...]:
        """One worker, if it is dead. One that seems to live is looked at again for so long: somebody who only looked
        may have held its lock for a moment.

        Raises: HysdsError when the ledger does not answer or refuses.
        """
        until_s = time.monotonic() + patience_s
        while (taken := self._take(foothold.folder(self._root, incarnation))) is Unjudged.HELD:
            if time.monotonic() >= until_s:
                break
            time.sleep(_LOOK_AGAIN_S)
        return taken if isinstance(taken, tuple) else ()

    def _others(self) -> list[Path]:
        own = foothold.folder(self._root, self._here.incarnation)
        return [path for path in foothold.all_folders(self._root) if path != own]

    def _take(self, path: Path) -> tuple[Ready, ...] | Unjudged:
        with self._judged(path) as dead:
            if isinstance(dead, Unjudged):
                self._note(path, dead)
                return dead
            _log.warning("worker %s is dead: what it left is looked after", dead.incarnation)
            if not self._end(dead, path):
                _log.error(_STILL_THERE, dead.incarnation)
                return ()
            moved = self._ledger.leave(dead.incarnation)
            if self._clear(path):
                foothold.remove(path)
            return moved.ready

    @contextmanager
    def _judged(self, path: Path) -> Iterator[Holder | Unjudged]:
        here = self._here.machine
        with foothold.seized(path, here) as found:
            if isinstance(found, Unjudged):
                yield found
            elif not found.machine.is_host_of(here) or found.ledger != self._here.ledger:
                yield Unjudged.ELSEWHERE
            else:
                yield found if here.can_tell_of(found.machine) else Unjudged.UNSEEN

    def _note(self, path: Path, why: Unjudged) -> None:
        if why not in _AS_IT_SHOULD_BE and path.is_dir() and (path, why) not in self._noted:
            self._noted.add((path, why))
            _log.warning("%s is left alone: %s", path, why.value)

    def _end_lost(self, path: Path) -> None:
        """Of a worker that may live or not: an attempt whose lease is lost may have no process in either case.

        Its directory stays: the worker may be another host's.

        Raises: HysdsError
        """
        found = foothold.attempts(path).items()
        left = [(attempt, directory) for attempt, directory in found if directory not in self._ended]
        kept = self._ledger.kept([id_ for (id_, _), _ in left]) if left else ()
        for ((id_, fence), directory), held in zip(left, kept, strict=True):
            if held is not None and not is_live(held, fence):
                values = (id_, str(fence), foothold.incarnation(path))
                marks = Marks(dict(zip(MARKS, values, strict=True)), _outputs([directory]))
                if leftovers.end(marks, _KILLED_WITHIN_S) or not leftovers.find(marks):
                    self._ended.add(directory)
                else:
                    _log.error("job %s: processes of its lost attempt %s can't be killed", id_, fence)

    def _end(self, dead: Holder, path: Path) -> bool:
        """Whether nothing of its jobs lives: after a reboot nothing can."""
        if dead.machine.boot_id != self._here.machine.boot_id:
            return True
        outputs = _outputs(foothold.attempts(path).values())
        marks = Marks({WORKER: dead.incarnation}, outputs, dead.origin)
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


def _outputs(directories: Iterable[Path]) -> list[Path]:
    places = [_place(directory) for directory in directories]
    return [output for place in places for output in (place.stdout, place.stderr)]


def _place(directory: Path) -> WorkDir:
    return WorkDir(directory, directory.with_name(directory.name.rpartition(".f")[0]))
