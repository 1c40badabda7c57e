"""Whether a command and all below it hold too much memory together, known by adding up the tree at intervals.

It is the way where no control group can be made: a command that grows faster than it is looked at can pass the
limit for a moment. The sum takes proportional set size (a shared page counts once), but reads that costly number
only when the cheap resident sizes, never smaller, pass the limit.
"""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from . import tree

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_INTERVAL_S = 0.25
_SHARE = 20
"""The tree is added up for at most one part in this many of the keeper's time."""


class Watch(Protocol):
    """Tells whether a command used too much memory."""

    interval_s: float

    def excess(self, find: Callable[[], Iterable[int]]) -> str | None:
        """What happened, in words, if the processes that `find` answers together passed the limit; None if not."""


class TreeSum:
    """The limit kept by adding up what the processes hold."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.interval_s = _INTERVAL_S

    def excess(self, find: Callable[[], Iterable[int]]) -> str | None:
        began = time.monotonic()
        held = list(find())
        used = sum(map(_resident_bytes, held))
        if used > self._limit_bytes:
            used = sum(map(_proportional_bytes, held))
        self.interval_s = max(_INTERVAL_S, _SHARE * (time.monotonic() - began))
        if used <= self._limit_bytes:
            return None
        return f"its processes held {used} bytes of memory, {self._limit_bytes} are allowed"


def _resident_bytes(pid: int) -> int:
    words = tree.read(f"/proc/{pid}/statm").split()
    return int(words[1]) * _PAGE_BYTES if len(words) > 1 else 0


def _proportional_bytes(pid: int) -> int:
    for line in tree.read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0
