"""Looks for what a run left behind, once its jobs have ended and its workers have left in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hysds.chaos.arena import Arena
from hysds.chaos.history import Kind, Leftover
from hysds.core.record import Record
from hysds.lib.process.guard import tree

_TRANSIENT = re.compile(
    r"(lease|due|workers|queues|drains|lines|tokens|behind)"
    r"|(ready|shapes|held|worker|inbox|hears|throttle|holders|called|expects|wait|pairs|line):.*",
    re.DOTALL,
)
"""Keys that stand for a live job or a worker that is there; all others are records, streams and windows."""
_ATTEMPT = re.compile(r"([0-9a-f-]{36})\.f(\d+)")
_UNFINISHED = re.compile(r".*\.part|\..*\.link")
"""Files that are written beside their place and moved there."""


def keys(arena: Arena) -> Iterator[Leftover]:
    """Keys of the ledger that should be gone. Raises: OSError"""
    for key in sorted(arena.server.keys(f"{arena.prefix}*")):
        name = key.removeprefix(arena.prefix)
        if _TRANSIENT.fullmatch(name):
            yield Leftover(Kind.KEY, name)


def reservations(records: Sequence[Record]) -> Iterator[Leftover]:
    """Hosts that are kept free for jobs which have ended."""
    for record in records:
        if record.reserved_by:
            what = f"the reservation of {record.reserved_by} for an ended job"
            yield Leftover(Kind.KEY, what, record.id, record.fence)


def files(arena: Arena, lost: frozenset[tuple[str, int]]) -> Iterator[Leftover]:
    """Directories of lost attempts (id, fence), marks of attempts that run, and files that nobody finished."""
    for path in sorted((arena.system.settings.work_dir / "jobs").rglob("*")):
        attempt = _ATTEMPT.fullmatch(path.name)
        if attempt is not None and (attempt[1], int(attempt[2])) in lost:
            yield Leftover(Kind.DIRECTORY, str(path), attempt[1], int(attempt[2]))
        elif _UNFINISHED.fullmatch(path.name) or path.name == ".running":
            yield Leftover(Kind.FILE, str(path), *_owner(path))


def processes(arena: Arena) -> Iterator[Leftover]:
    """Processes that outlived their workers."""
    for pid in arena.household.strangers():
        words = tree.read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
        yield Leftover(Kind.PROCESS, f"pid {pid}: {words or 'ending'}")


def _owner(path: Path) -> tuple[str, int]:
    attempt = _ATTEMPT.fullmatch(path.parent.name)
    return (attempt[1], int(attempt[2])) if attempt is not None else ("", 0)
