"""What this host has, what of it is free, which shapes are known to fit it, and what is wrong with it."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hysds.core.floor_requests import Fit
from hysds.core.shapes import Capacity, Shape, decode
from hysds.lib import host_facts
from hysds.lib.cloud_instance import CloudInstance

NO_DIRECTORY, LOW_DISK = "no work directory", "disk below the reserve"


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What the operator gives a worker."""

    slots: int
    memory_bytes: int | None
    """None: all that the host has."""
    disk_reserve_bytes: int
    work_dir: Path
    for_tasks: bool = False
    """Whether it takes tasks, and nothing else."""
    instance_url: str | None = None
    """Where a cloud tells of its instance; None: nobody is asked."""


class Host:
    """Counts what running jobs take. Any thread may call any method."""

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._instance = CloudInstance(settings.instance_url)
        self._taken: dict[tuple[str, int], Shape] = {}
        self._known: dict[str, Shape | None] = {}
        """By name; None for one that this version can't read, which fits no host."""
        self._left_bytes: int | None = 0
        """On the disk beyond the reserve, below 0 where it is touched, when last measured; None: no directory."""
        total_memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self._whole = Capacity(
            slots=settings.slots,
            cpus=float(len(os.sched_getaffinity(0))),
            memory_bytes=settings.memory_bytes or total_memory,
            disk_bytes=0,
            for_tasks=settings.for_tasks,
        )
        self._disk_bytes()

    def take(self, id: str, fence: int, shape: str) -> None:
        """A lease of a job of this shape begins."""
        with self._lock:
            self._know(shape)
            self._taken[id, fence] = self._known[shape] or Shape()

    def give_back(self, id: str, fence: int) -> None:
        """It ends."""
        with self._lock:
            self._taken.pop((id, fence), None)

    def learn(self, shapes: tuple[str, ...]) -> None:
        """Shapes that the ledger told of."""
        with self._lock:
            for shape in shapes:
                self._know(shape)

    def free_slots(self) -> int:
        """Slots that no lease takes."""
        with self._lock:
            return self._whole.slots - sum(shape.slots for shape in self._taken.values())

    def capacities(self) -> tuple[Capacity, Capacity]:
        """What the host has for jobs in all, and what of it is free now; the disk as `fit` last measured it."""
        with self._lock:
            return self._capacities(max(self._left_bytes or 0, 0))

    def facts(self) -> dict[str, Any]:
        """What people are told of it: memory, swap and disk as they are now, and the cloud's instance."""
        facts: dict[str, Any] = dict(host_facts.passing(self._settings.work_dir))
        if cloud := self._instance.facts():
            facts["cloud"] = dict(cloud)
        return facts

    def is_usable(self) -> bool:
        """Whether any job could run here, as `fit` last saw it. Costs nothing."""
        return self._left_bytes is not None

    def defect(self) -> str:
        """What is wrong with the host, as `fit` last saw it; "": nothing. A low disk keeps out jobs that ask for disk
        alone.
        """
        if self._left_bytes is None:
            return NO_DIRECTORY
        return LOW_DISK if self._left_bytes < 0 else ""

    def fit(self) -> Fit:
        """What is known of shapes now; measures the disk. On a host without its work directory nothing fits."""
        disk_bytes = self._disk_bytes()
        with self._lock:
            whole, free = self._capacities(disk_bytes)
            shapes = dict(sorted(self._known.items()))
        now = tuple(name for name, shape in shapes.items() if shape and shape.fits(free))
        # Disk does not come back when jobs end: what it is too full for does not fit the empty host either, or the
        # host would be kept free for a job that it can't take.
        empty = tuple(
            name for name, shape in shapes.items() if name not in now and shape and shape.fits(whole)
        )
        return Fit(now, empty, tuple(name for name in shapes if name not in now and name not in empty))

    def _capacities(self, disk_bytes: int) -> tuple[Capacity, Capacity]:
        whole = replace(self._whole, disk_bytes=disk_bytes)
        free = whole
        for shape in self._taken.values():
            free = free.less(shape)
        return whole, free

    def _know(self, name: str) -> None:
        if name not in self._known:
            try:
                self._known[name] = decode(name)
            except ValueError:
                self._known[name] = None

    def _disk_bytes(self) -> int:
        """Free for jobs; less than any job needs where the place can't be measured: deleted, unmounted, stale."""
        try:
            usage = shutil.disk_usage(self._settings.work_dir)
        except OSError:
            self._left_bytes = None
            return -1
        left_bytes = self._left_bytes = usage.free - self._settings.disk_reserve_bytes
        return max(left_bytes, 0)
