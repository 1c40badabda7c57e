"""Shapes: what a job needs of its host, quantised so that jobs of one size share one ready list.

The encoded form (`2s1.5c4096m10d`: slots, cpus, MiB of memory, GiB of disk; zeros left out) is a part of ledger keys.
A task's has a `t` at its end (`1st`), so that no job worker takes it and a task worker takes nothing else.
A mark at its end (`2s!`) says that the job runs alone on its worker, which the ledger alone sees to.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

MAX_SHAPES_PER_QUEUE = 256
MEMORY_STEP_MIB = 256
CPU_STEP = 0.5
_ALONE = "!"
_MIB = 1 << 20
_GIB = 1 << 30
_FORM = re.compile(r"(\d+)s(?:(\d+(?:\.5)?)c)?(?:(\d+)m)?(?:(\d+)d)?(t?)")


@dataclass(frozen=True, slots=True)
class Shape:
    """Needs rounded up to a step, or what a host has rounded down. `memory_mib` and `disk_gib` of 0: no need."""

    slots: int = 1
    cpus: float = 0.0
    memory_mib: int = 0
    disk_gib: int = 0
    is_task: bool = False
    """A Python call, for task workers."""

    def __str__(self) -> str:
        cpus = f"{self.cpus:g}c" if self.cpus else ""
        memory = f"{self.memory_mib}m" if self.memory_mib else ""
        disk = f"{self.disk_gib}d" if self.disk_gib else ""
        return f"{self.slots}s{cpus}{memory}{disk}{'t' if self.is_task else ''}"

    def fits(self, free: Capacity) -> bool:
        """Whether a host with this much free can take a job of this shape."""
        return (
            self.is_task == free.for_tasks
            and self.slots <= free.slots
            and self.cpus <= free.cpus
            and self.memory_mib * _MIB <= free.memory_bytes
            and self.disk_gib * _GIB <= free.disk_bytes
        )


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a host has free, or has in all."""

    slots: int
    cpus: float
    memory_bytes: int
    disk_bytes: int
    for_tasks: bool = False
    """Whether it is a task worker's, which takes tasks and nothing else."""

    def less(self, shape: Shape) -> Capacity:
        """What is left when a job of this shape runs. Disk is not taken: the host measures it anew at each claim."""
        return Capacity(
            self.slots - shape.slots,
            self.cpus - shape.cpus,
            self.memory_bytes - shape.memory_mib * _MIB,
            self.disk_bytes,
            self.for_tasks,
        )


def shape_of(slots: int, cpus: float | None, memory_bytes: int | None, disk_bytes: int | None) -> Shape:
    """The shape of a job's resources: each need rounded up to its step."""
    memory_mib = -(-(memory_bytes or 0) // _MIB)
    return Shape(
        slots=slots,
        cpus=math.ceil((cpus or 0) / CPU_STEP) * CPU_STEP,
        memory_mib=-(-memory_mib // MEMORY_STEP_MIB) * MEMORY_STEP_MIB,
        disk_gib=-(-(disk_bytes or 0) // _GIB),
    )


def decode(text: str) -> Shape:
    """The shape that `str(shape)` wrote, marked as alone or not.

    Raises: ValueError where the text is no shape.
    """
    match = _FORM.fullmatch(text.removesuffix(_ALONE))
    if match is None:
        raise ValueError(f"{text!r} is no shape")
    slots, cpus, memory, disk, task = match.groups()
    return Shape(int(slots), float(cpus or 0), int(memory or 0), int(disk or 0), bool(task))


def alone(text: str) -> str:
    """The same needs, for a job that runs alone on its worker."""
    return text if is_alone(text) else text + _ALONE


def is_alone(text: str) -> bool:
    """Whether a job of this encoded shape runs alone on its worker."""
    return text.endswith(_ALONE)
