"""What there is to know of this host without asking anybody: no process is started, no network is used.

What can't be read on a host is left out.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

_MEMORY = Path("/proc/meminfo")
_RELEASE = Path("/etc/os-release")
_GPUS = Path("/proc/driver/nvidia/gpus")


def lasting(release: Path = _RELEASE, gpus: Path = _GPUS) -> dict[str, Any]:
    """What stays for as long as a process lives: `cpus`, `kernel`, `arch`, `os`, `python`, and `gpus` by model."""
    system = os.uname()
    facts = {
        "cpus": os.cpu_count(),
        "kernel": f"{system.sysname} {system.release}",
        "arch": system.machine,
        "os": _line(release, "PRETTY_NAME=").strip('"'),
        "python": ".".join(map(str, sys.version_info[:3])),
        "gpus": _gpus(gpus),
    }
    return {name: value for name, value in facts.items() if value}


def passing(place: Path, memory: Path = _MEMORY) -> dict[str, dict[str, int]]:
    """What changes: `memory` and `swap`, and `disk`, the one on which the place lies; each total and free, in bytes.

    Free memory is what the kernel could give without swapping (`MemAvailable`).
    """
    sizes = _sizes(memory)
    facts = {
        "memory": _pair(sizes.get("MemTotal"), sizes.get("MemAvailable")),
        "swap": _pair(sizes.get("SwapTotal"), sizes.get("SwapFree")),
        "disk": _disk(place),
    }
    return {name: pair for name, pair in facts.items() if pair}


def _pair(total: int | None, free: int | None) -> dict[str, int]:
    """Nothing where there is none."""
    return {"total_bytes": total, "free_bytes": free} if total and free is not None else {}


def _disk(place: Path) -> dict[str, int]:
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return {}
    return _pair(usage.total, usage.free)


def _sizes(path: Path) -> dict[str, int]:
    """Bytes by name of lines such as `MemTotal:  1024 kB`."""
    found = {}
    for line in _text(path).splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words[1:] == ["kB"] and words[0].isdigit():
            found[name] = int(words[0]) * 1024
    return found


def _gpus(folder: Path) -> list[str]:
    """The models of NVIDIA's GPUs, as its driver tells them."""
    try:
        places = sorted(folder.iterdir())
    except OSError:
        return []
    return [_line(place / "information", "Model:") or "unknown" for place in places]


def _line(path: Path, name: str) -> str:
    """What follows the name on the first line that begins with it."""
    for line in _text(path).splitlines():
        if line.startswith(name):
            return line.removeprefix(name).strip()
    return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
