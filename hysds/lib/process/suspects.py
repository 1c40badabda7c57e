"""Processes of our own user of which can't be told what they are: they made themselves undumpable, as ssh-agent does,
and since then their environment and open files are nobody's to read.

Of these many can be cleared all the same by what anybody may see: age, session, parents and control groups.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hysds.lib.process import table
from hysds.lib.process.guard import tree
from hysds.lib.process.guard.wire import boot_s
from hysds.lib.process.table import Process


@dataclass(frozen=True, slots=True)
class Origin:
    """When and where the first process of a command began.

    `since_s`: none is older, on the boot-time clock. `groups`: the control groups of whoever started it; in these they
    stay, or in groups made for commands. `view`: the namespace in which these names hold.
    """

    since_s: float
    groups: str
    view: str


def origin() -> Origin:
    """Of what this process starts from now on."""
    return Origin(boot_s(), _groups(os.getpid()), _view())


def among(processes: Mapping[int, Process], told: Collection[int], origin: Origin | None) -> set[int]:
    """Who may have come from there. `told`: who is known not to, as far as its environment could be read.

    Without an origin nobody is cleared.
    """
    hidden = {pid for pid in processes if _is_hidden(pid)}
    if not hidden or origin is None:
        return hidden
    known = set(told) - hidden
    return {pid for pid in hidden if not _is_cleared(pid, known, processes, origin)}


def _is_hidden(pid: int) -> bool:
    """Whether it is our user's, and yet we may not see what it was given."""
    try:
        os.close(os.open(f"/proc/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC))
    except PermissionError:
        return os.geteuid() in _users(pid)
    except OSError:  # it is gone
        return False
    return False


def _users(pid: int) -> set[int]:
    """Its real, effective and saved user: a program with the set-user-id bit keeps the first."""
    for line in tree.read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"Uid:"):
            return {int(user) for user in line.split()[1:4]}
    return set()


def _is_cleared(pid: int, known: set[int], processes: Mapping[int, Process], origin: Origin) -> bool:
    """It is older than the command; or its session was begun by somebody else; or a younger parent is somebody else's
    (an older one may have adopted it); or it is in other control groups.
    """
    session = processes[pid].session
    leader = processes.get(session)
    old = {other for other, process in processes.items() if not _is_since(process, origin)}
    return (
        pid in old
        or (leader is not None and (session in known or session in old))
        or bool(table.ancestors(pid, processes) & (known - old))
        or _is_elsewhere(pid, origin)
    )


def _is_since(process: Process, origin: Origin) -> bool:
    # The kernel cuts the time of a birth down to the tick.
    return (process.born + 1) / os.sysconf("SC_CLK_TCK") >= origin.since_s


def _is_elsewhere(pid: int, origin: Origin) -> bool:
    groups = _groups(pid)
    return _view() == origin.view and groups != origin.groups and not table.groups_of_commands(pid)


def _groups(pid: int) -> str:
    return tree.read(f"/proc/{pid}/cgroup").decode(errors="replace")


def _view() -> str:
    try:
        return os.readlink("/proc/self/ns/cgroup")
    except OSError:
        return ""
