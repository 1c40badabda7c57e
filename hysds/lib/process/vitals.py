"""What the kernel says of a process that lives: whether it was stopped, and how old it is."""

from __future__ import annotations

import os

from hysds.lib.process.guard import tree
from hysds.lib.process.guard.wire import boot_s

_STOPPED = (b"T", b"t")
"""By a signal, and by who traces it."""
_STATE, _STARTED = 0, 19
"""Fields of /proc/PID/stat behind the name (proc_pid_stat(5): 3 and 22)."""


def is_stopped(pid: int) -> bool:
    """Whether it lives and does nothing until somebody lets it go on."""
    return _fields(pid)[_STATE : _STATE + 1] in ([one] for one in _STOPPED)


def age_s(pid: int) -> float:
    """How long ago it was started; 0 where nobody has this number."""
    fields = _fields(pid)
    if len(fields) <= _STARTED:
        return 0.0
    started_s = int(fields[_STARTED]) / os.sysconf("SC_CLK_TCK")
    return max(boot_s() - started_s, 0.0)


def _fields(pid: int) -> list[bytes]:
    """Those behind the name, which may hold anything."""
    return tree.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
