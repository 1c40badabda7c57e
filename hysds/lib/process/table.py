"""The processes that /proc shows: who is whose child, in which session, born when, in which control groups."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from hysds.lib.process.guard import tree

_GUARDED = re.compile(rb"/(guarded-\d+-\d+)\s")


class Process(NamedTuple):
    """One that lives."""

    parent: int
    session: int
    born: int
    """In the kernel's ticks since boot: with the pid it names a process for good."""


def processes() -> Iterator[tuple[int, Process]]:
    """All that live, by pid: no zombies."""
    for name in os.listdir("/proc"):
        if name.isdecimal() and (found := process(int(name))) is not None:
            yield int(name), found


def process(pid: int) -> Process | None:
    """This one; None if it is dead."""
    # proc(5): what follows the name is state, parent, group, session …, and the start time as the 22nd of all.
    fields = tree.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return None
    return Process(int(fields[1]), int(fields[3]), int(fields[19]))


def groups_of_commands(pid: int) -> list[bytes]:
    """The control groups of guarded commands that it is in."""
    return _GUARDED.findall(tree.read(f"/proc/{pid}/cgroup"))


def ancestors(pid: int, living: Mapping[int, Process]) -> set[int]:
    """Its parent, that one's parent, and so on."""
    found = set()
    while (one := living.get(pid)) is not None and one.parent not in found:
        pid = one.parent
        found.add(pid)
    return found


def with_descendants(roots: Collection[int], living: Mapping[int, Process]) -> set[int]:
    """Those of these that live, and all below them."""
    found = {pid for pid in roots if pid in living}
    while True:
        more = {pid for pid, one in living.items() if one.parent in found} - found
        if not more:
            return found
        found |= more
