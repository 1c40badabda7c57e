"""Control groups: where the guardian may make them, each command with a memory limit gets one of its own.

The kernel keeps the limit to the byte, and we read its count of kills. A place is used only if moving into a
group, setting a limit and moving back was tried with success. Under version 1 it lies in the guardian's own group;
under version 2, where a group with processes can't have children, beside it, in a group that systemd marks as
delegated. Or in the one that the operator names.
"""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from . import tree

_PREFIX = "guarded-"
_INTERVAL_S = 1.0


class Group:
    """The limit kept by the kernel, in a control group for one command."""

    interval_s = _INTERVAL_S

    def __init__(self, path: str, home: str) -> None:
        """Make the group. `home`: the group to which a process returns that leaves it."""
        self._path = path
        self._home = home
        self._limit_bytes = 0
        os.mkdir(path)

    def limit(self, limit_bytes: int) -> None:
        """Allow this much memory, and no swap beyond it."""
        self._limit_bytes = limit_bytes
        if os.path.exists(f"{self._path}/memory.max"):
            _write(f"{self._path}/memory.max", limit_bytes)
            _write_if_there(f"{self._path}/memory.swap.max", 0)
            _write_if_there(f"{self._path}/memory.oom.group", 1)
        else:
            _write(f"{self._path}/memory.limit_in_bytes", limit_bytes)
            _write_if_there(f"{self._path}/memory.memsw.limit_in_bytes", limit_bytes)

    def enter(self) -> None:
        """The calling process moves in; what it starts from now on is born here."""
        _write(f"{self._path}/cgroup.procs", os.getpid())

    def leave(self) -> None:
        """The calling process moves back, so that the limit can't kill it."""
        _write(f"{self._home}/cgroup.procs", os.getpid())

    def excess(self, find: Callable[[], Iterable[int]]) -> str | None:
        """As the kernel counted; nobody needs to be found."""
        if self._kills() == 0:
            return None
        return f"its control group needed more than the allowed {self._limit_bytes} bytes of memory"

    def remove(self) -> None:
        """Take the empty group away; one that can't be is left to the next guardian."""
        remove(self._path)

    def _kills(self) -> int:
        text = tree.read(f"{self._path}/memory.events") or tree.read(f"{self._path}/memory.oom_control")
        lines = (line.split() for line in text.splitlines())
        return sum(int(line[1]) for line in lines if line[:1] == [b"oom_kill"])


class Groups:
    """Where groups can be made. A name belongs to a guardian and a keeper, both by pid."""

    def __init__(self, parent: str, home: str) -> None:
        self._parent = parent
        self._home = home
        self._guardian = os.getpid()

    def open(self, keeper: int, limit_bytes: int) -> Group:
        """A group with its limit.

        Raises:
            OSError: it can't be made; nothing of it is left.
        """
        group = Group(self._path(keeper), self._home)
        try:
            group.limit(limit_bytes)
        except OSError:
            group.remove()
            raise
        return group

    def remove(self, keeper: int) -> None:
        """Take away what a keeper left that did not come to its end."""
        remove(self._path(keeper))

    def try_out(self) -> bool:
        """Whether a process can really move in and out under a limit here."""
        try:
            group = self.open(self._guardian, 1 << 40)
        except OSError:
            return False
        try:
            group.enter()
            group.leave()
        except OSError:
            return False
        finally:
            group.remove()
        return True

    def remove_abandoned(self) -> None:
        """Take away what guardians left that are no more."""
        for name in _names(self._parent):
            owner = name.removeprefix(_PREFIX).partition("-")[0]
            if name.startswith(_PREFIX) and not os.path.exists(f"/proc/{owner}"):
                remove(f"{self._parent}/{name}")

    def _path(self, keeper: int) -> str:
        return f"{self._parent}/{_PREFIX}{self._guardian}-{keeper}"


class Hierarchy(NamedTuple):
    """One mounted tree of control groups that can limit memory, and where this process stands in it."""

    mount: str
    home: str
    version: int


def find(parent: str | None) -> Groups | None:
    """Where this process can make groups; None if nowhere. `parent`: look there alone."""
    for hierarchy in hierarchies(
        tree.read("/proc/self/mountinfo").decode(), tree.read("/proc/self/cgroup").decode()
    ):
        place = _place(hierarchy, parent)
        if place is None:
            continue
        groups = Groups(place, hierarchy.home)
        groups.remove_abandoned()
        if groups.try_out():
            return groups
    return None


def hierarchies(mountinfo: str, own: str) -> Iterator[Hierarchy]:
    """The hierarchies that `/proc/self/mountinfo` and `/proc/self/cgroup` speak of. Source: cgroups(7),
    proc(5).
    """
    paths = {
        line.split(":", 2)[1]: line.split(":", 2)[2] for line in own.splitlines() if line.count(":") >= 2
    }
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        root, mount = before.split()[3:5]
        kind, options = after.split()[0], after.split()[2]
        if kind == "cgroup2" and "" in paths:
            yield Hierarchy(mount, mount + _beneath(root, paths[""]), 2)
        elif kind == "cgroup" and "memory" in options.split(","):
            names = [name for name in paths if "memory" in name.split(",")]
            yield from (Hierarchy(mount, mount + _beneath(root, paths[name]), 1) for name in names)


def remove(path: str) -> None:
    """Take a group away; it may be gone already, or be held by a process that is still ending."""
    try:
        os.rmdir(path)
    except OSError:
        return


def _place(hierarchy: Hierarchy, parent: str | None) -> str | None:
    if parent is not None:
        return parent if f"{parent}/".startswith(f"{hierarchy.mount}/") else None
    if hierarchy.version == 1:
        return hierarchy.home
    above = os.path.dirname(hierarchy.home)
    if not _is_delegated(above):
        return None
    _write_if_there(f"{above}/cgroup.subtree_control", "+memory")
    return above


def _is_delegated(path: str) -> bool:
    """As systemd marks it (systemd's CGROUP_DELEGATION.md)."""
    for name in ("user.delegate", "trusted.delegate"):
        try:
            return os.getxattr(path, name) == b"1"
        except OSError:
            continue
    return False


def _beneath(root: str, path: str) -> str:
    """A group's path as seen in a mount that shows only what lies below `root`."""
    inside = path.removeprefix(root) if root != "/" and f"{path}/".startswith(f"{root}/") else path
    return inside.rstrip("/")


def _write(path: str, value: int | str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, str(value).encode())
    finally:
        os.close(fd)


def _write_if_there(path: str, value: int | str) -> None:
    try:
        _write(path, value)
    except OSError:
        return


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []
