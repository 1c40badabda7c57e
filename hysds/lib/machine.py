"""Which machine this is, and since which start of it: what tells a process of this host from one of another."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Machine:
    """A host by its name and machine id ("" where it has none), in one life from boot to crash."""

    host: str
    machine_id: str
    boot_id: str

    def is_host_of(self, other: Machine) -> bool:
        """Whether both are the same host, whatever the boot."""
        return (self.host, self.machine_id) == (other.host, other.machine_id)


def this() -> Machine:
    """The machine that this process runs on."""
    return Machine(socket.gethostname(), _line(_MACHINE_ID), _line(_BOOT_ID))


def _line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
