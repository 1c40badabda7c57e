"""The page of memory that worker, guardian and keepers share: the worker's signs of life.

A beat is one store of eight aligned bytes: no system call, no message, so it costs the same with one running
command as with a hundred, and no full socket buffer can hold it up.
"""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

import mmap
import os

from .wire import Reason, boot_s

_BEAT, _ISOLATED_SINCE, _CLOSING = 0, 1, 2
_NS = 1_000_000_000
_CLOSINGS = (None, Reason.WORKER_GONE, Reason.SILENT)


class Beats:
    """One side's view of the page; it stays valid across fork."""

    def __init__(self, fd: int) -> None:
        """Map the page that `fd` stands for; the descriptor may be closed afterwards."""
        self._page = mmap.mmap(fd, mmap.PAGESIZE)
        self._slots = memoryview(self._page).cast("q")

    @staticmethod
    def create() -> int:
        """A descriptor of a fresh page; the caller closes it."""
        fd = os.memfd_create("beats", os.MFD_CLOEXEC)
        os.ftruncate(fd, mmap.PAGESIZE)
        return fd

    def beat(self) -> None:
        """The worker is alive, as of now."""
        self._slots[_BEAT] = int(boot_s() * _NS)

    def isolate(self, since_boot_s: float) -> None:
        """The worker has not reached its ledger since then."""
        self._slots[_ISOLATED_SINCE] = int(since_boot_s * _NS)

    def connect(self) -> None:
        """The worker reaches its ledger."""
        self._slots[_ISOLATED_SINCE] = 0

    def close(self, reason: Reason) -> None:
        """The guardian ends everything, for this reason."""
        self._slots[_CLOSING] = _CLOSINGS.index(reason)

    @property
    def closing(self) -> Reason | None:
        """Why the guardian ends everything; None while it doesn't."""
        return _CLOSINGS[self._slots[_CLOSING]]

    @property
    def last_boot_s(self) -> float:
        """When the worker gave its last sign of life."""
        return self._slots[_BEAT] / _NS

    @property
    def isolated_since_boot_s(self) -> float | None:
        """Since when the worker has not reached its ledger; None if it does."""
        since = self._slots[_ISOLATED_SINCE]
        return since / _NS if since else None

    def silent_at(self, limit_s: float | None) -> float | None:
        """When, as far as now known, the worker will have been silent for too long."""
        return None if limit_s is None else self.last_boot_s + limit_s

    def isolated_at(self, limit_s: float | None, reached_s: float = 0.0) -> float | None:
        """When, as far as now known, the worker will have been isolated for too long, of a command for which the ledger
        was reached at `reached_s`.
        """
        since = self.isolated_since_boot_s
        return None if limit_s is None or since is None else max(since, reached_s) + limit_s
