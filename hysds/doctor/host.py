"""What this host gives a worker: open files, processes, room on disks."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from hysds.lib import units
from hysds.ports import findings
from hysds.ports.findings import Finding

_FILES_AT_ALL, _FILES_A_SLOT = 256, 32
"""A worker's connections and libraries; a job's pipes and files, with room."""
_PROCESSES_A_SLOT = 64
_LEAST_INODES = 0.02
_UNLIMITED = resource.RLIM_INFINITY


def limits(slots: int) -> Iterator[Finding]:
    """The soft limits that a worker started like this command would have."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    yield limit("nofile", "open files", files, _FILES_AT_ALL + _FILES_A_SLOT * slots)
    yield limit("nproc", "processes of this user", processes, _PROCESSES_A_SLOT * slots)


def limit(name: str, what: str, allowed: int, needed: int) -> Finding:
    """Whether a limit is high enough."""
    shown = "any number of" if allowed == _UNLIMITED else f"{allowed}"
    if allowed == _UNLIMITED or allowed >= needed:
        return findings.ok(f"limits.{name}", f"{shown} {what} allowed")
    return findings.warning(
        f"limits.{name}",
        f"{shown} {what} allowed: {needed} are needed for the slots of a worker here",
        f"ulimit of this user ({name})",
        f"raise it: LimitN{name[1:].upper()} in the unit, or limits.conf",
    )


def disks(places: Mapping[str, Path], reserve_bytes: int) -> Iterator[Finding]:
    """Whether each place can be written, and has room. `reserve_bytes`: what is kept back for other than jobs."""
    for name, place in places.items():
        yield _disk(name, place, reserve_bytes)


def _disk(name: str, place: Path, reserve_bytes: int) -> Finding:
    there = next((path for path in (place, *place.parents) if path.exists()), Path("/"))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        mend = f"give this user {there}, or set another place"
        return findings.error(f"disk.{name}", f"{there} may not be written by this user", str(place), mend)
    usage, files = shutil.disk_usage(there), os.statvfs(there)
    text = f"{name}: {units.format_size(usage.free)} of {units.format_size(usage.total)} free"
    mend = "free some: hysds doctor shows what dead workers left; work directories of ended jobs are yours to clear"
    if usage.free < max(reserve_bytes, 1):
        return findings.warning(
            f"disk.{name}", f"{text}: jobs that ask for disk don't start", str(place), mend
        )
    if files.f_files and files.f_favail < _LEAST_INODES * files.f_files:
        return findings.warning(
            f"disk.{name}", f"{name}: {files.f_favail} more files can be made", str(place), mend
        )
    return findings.ok(f"disk.{name}", text, str(place))
