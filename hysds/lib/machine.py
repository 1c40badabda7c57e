"""Which machine this is, since which start of it, and which of its processes can be seen from here: what tells a
process of this host from one of another.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")
_FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""The kernel's own name for the namespace that all others are below of (PROC_PID_INIT_INO)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A host by its name and machine id ("" where it has none), in one life from boot to crash.

    `pid_namespace`: two containers of one host may look alike in all else. A number comes again only when nothing lives
    any more in the namespace that had it.
    """

    host: str
    machine_id: str
    boot_id: str
    pid_namespace: str

    def is_host_of(self, other: Machine) -> bool:
        """Whether both are the same host, whatever the boot."""
        return (self.host, self.machine_id) == (other.host, other.machine_id)

    def can_tell_of(self, other: Machine) -> bool:
        """Whether from here it can be known that nothing lives any more there, on the same host: after a reboot nothing
        can, and the first namespace sees the processes of all others.
        """
        return self.boot_id != other.boot_id or self.pid_namespace in (
            other.pid_namespace,
            _FIRST_PID_NAMESPACE,
        )


def this() -> Machine:
    """The machine that this process runs on."""
    return Machine(socket.gethostname(), _line(_MACHINE_ID), _line(_BOOT_ID), _link(_PID_NAMESPACE))


def _line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
