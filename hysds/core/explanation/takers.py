"""Which workers could take a job, and what each of the others lacks: for people, from what workers announce."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from hysds.core import moments
from hysds.core.floor_requests import WorkerState
from hysds.core.shapes import MEMORY_STEP_MIB, Capacity, Shape, decode
from hysds.lib import units

_MIB, _GIB = 1 << 20, 1 << 30
_NO_DIRECTORY = "no work directory"
"""What a worker's gate says where its `worker.work_dir` can't be reached."""


class Need(Protocol):
    """What a worker must have for a job: a record has it, and what became of a submission."""

    @property
    def id(self) -> str: ...

    @property
    def queue(self) -> str: ...

    @property
    def shape(self) -> str: ...


class Lack(StrEnum):
    """Why a worker does not take a job now."""

    QUEUE = "queue"
    """It does not hear the job's queue."""
    SILENT = "silent"
    DRAINING = "draining"
    """It was told to take nothing more."""
    SHUT = "shut"
    """It says itself that it takes nothing, as it is about to end."""
    WORK_DIR = "work-dir"
    """Its work directory is gone, or on a disk that does not answer."""
    KIND = "kind"
    """It runs tasks, and this is none, or the other way round."""
    SLOTS = "slots"
    CPUS = "cpus"
    MEMORY = "memory"
    DISK = "disk"
    SHAPE = "shape"
    """It says that the job does not fit, and not what is too little."""
    RESERVED = "reserved"
    """Its host is kept free for another job."""


SIZES = frozenset({Lack.SLOTS, Lack.CPUS, Lack.MEMORY, Lack.DISK, Lack.SHAPE})


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a worker lacks. `passes`: it is there again when jobs that run on it end."""

    lack: Lack
    text: str
    passes: bool = False


@dataclass(frozen=True, slots=True)
class Taker:
    """A worker, as far as it could take a job."""

    incarnation: str
    name: str
    host: str
    missing: tuple[Missing, ...] = ()

    def lacks(self, *lacks: Lack) -> bool:
        """Whether it lacks any of these."""
        return any(missing.lack in lacks for missing in self.missing)

    @property
    def takes(self) -> str:
        """`now`, `later` (once jobs that run there have ended) or `no`."""
        if not self.missing:
            return "now"
        return "later" if all(missing.passes for missing in self.missing) else "no"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker says of itself beyond what claims need. None: it does not say."""

    has: Capacity | None = None
    free: Capacity | None = None
    lease_ms: int = 0
    announce_ms: int = 0
    rest: Mapping[str, Any] = field(default_factory=dict)

    def heard_ms_ago(self, left_ms: int) -> int | None:
        """How long ago it was heard of, from what is left of its announcement; None where it does not say how long
        that stands."""
        return max(self.announce_ms - left_ms, 0) if self.announce_ms else None


def facts_of(worker: WorkerState) -> Facts:
    """The facts of an announcement. Whatever is odd in them is left out: another version may have written them."""
    try:
        told = json.loads(worker.facts)
    except ValueError:
        return Facts()
    if not isinstance(told, dict):
        return Facts()
    times = (told.get("lease_ms"), told.get("announce_ms"))
    lease_ms, announce_ms = (time if type(time) is int and time > 0 else 0 for time in times)
    return Facts(_capacity(told.get("has")), _capacity(told.get("free")), lease_ms, announce_ms, told)


def is_silent(worker: WorkerState, facts: Facts) -> bool:
    """Whether it was not heard of for half of a lease, which is many renewals."""
    ago_ms = facts.heard_ms_ago(worker.left_ms)
    return worker.left_ms <= 0 or (ago_ms is not None and 0 < facts.lease_ms < 2 * ago_ms)


def taker(need: Need, worker: WorkerState) -> Taker:
    """What a worker lacks to take a queued job now."""
    missing: list[Missing] = []
    if need.queue not in worker.queues:
        heard = ", ".join(worker.queues)
        missing.append(Missing(Lack.QUEUE, f"hears {heard}, not {need.queue}"))
    missing += _absences(worker)
    if not any(
        one.lack is Lack.WORK_DIR for one in missing
    ):  # without one it says of every shape that it can't fit
        missing += _sizes(need.shape, worker)
    if worker.reserved not in ("", need.id):
        missing.append(
            Missing(Lack.RESERVED, f"its host is kept free for job {worker.reserved}", passes=True)
        )
    return Taker(worker.incarnation, worker.name, worker.host, tuple(missing))


def work_dir(worker: WorkerState) -> str:
    """Where its jobs work, for people: the directory and its host."""
    named = facts_of(worker).rest.get("work_dir")
    return (
        f"work directory {named} on {worker.host}"
        if isinstance(named, str)
        else f"work directory on {worker.host}"
    )


def _absences(worker: WorkerState) -> list[Missing]:
    facts = facts_of(worker)
    if is_silent(worker, facts):
        ago_ms = facts.heard_ms_ago(worker.left_ms)
        since = "" if ago_ms is None else f" for {units.format_duration(ago_ms // 1000)}"
        return [Missing(Lack.SILENT, f"was not heard of{since}")]
    if worker.drain is not None:
        reason = f": {worker.drain.reason}" if worker.drain.reason else ""
        return [Missing(Lack.DRAINING, f"is drained since {moments.iso(worker.drain.since_ms)}{reason}")]
    if worker.slots == 0:
        gate = facts.rest.get("gate")
        if gate == _NO_DIRECTORY:
            return [Missing(Lack.WORK_DIR, f"takes nothing: it can't reach its {work_dir(worker)}")]
        why = f": {gate}" if isinstance(gate, str) and gate else ", as it is about to end"
        return [Missing(Lack.SHUT, f"takes nothing{why}")]
    return []


def _sizes(name: str, worker: WorkerState) -> list[Missing]:
    """What is too small. What the worker says of the shape decides; its capacities only say why."""
    shape, fit, facts = _shape(name), worker.fit, facts_of(worker)
    if name in fit.now:
        return []
    if facts.has is not None and shape.slots and facts.has.for_tasks != shape.is_task:
        return [
            Missing(
                Lack.KIND, "runs tasks, and no jobs" if facts.has.for_tasks else "runs jobs, and no tasks"
            )
        ]
    never = _short(shape, facts.has, "has", passes=False)
    if name in fit.never:
        return never or [Missing(Lack.SHAPE, f"can't hold it ({name})")]
    now = _short(shape, facts.free, "has free", passes=True)
    if name in fit.empty:
        return now or [Missing(Lack.SHAPE, f"has too little free for it ({name})", passes=True)]
    return never or now


def _short(shape: Shape, capacity: Capacity | None, verb: str, passes: bool) -> list[Missing]:
    if capacity is None:
        return []
    pairs = (
        (Lack.SLOTS, shape.slots, capacity.slots, _slots),
        (Lack.CPUS, shape.cpus, capacity.cpus, _cpus),
        (Lack.MEMORY, shape.memory_mib * _MIB, capacity.memory_bytes, _memory),
        (Lack.DISK, shape.disk_gib * _GIB, capacity.disk_bytes, _disk),
    )
    return [
        Missing(lack, _words(shown, needed, there, verb), passes and lack is not Lack.DISK)
        for lack, needed, there, shown in pairs
        if needed > there
    ]


def _words(shown: Callable[[float], str], needed: float, there: float, verb: str) -> str:
    if there < 0:
        return f"has {shown(there)}"
    steps = f" (in steps of {MEMORY_STEP_MIB} MiB)" if shown is _memory else ""
    return f"needs {shown(needed)}{steps}, {verb} {shown(there)}"


def _slots(count: float) -> str:
    return f"{count:g} slot{'' if count == 1 else 's'}"


def _cpus(count: float) -> str:
    return f"{count:g} cpu{'' if count == 1 else 's'}"


def _memory(size_bytes: float) -> str:
    return f"{units.format_size(round(size_bytes))} of memory"


def _disk(size_bytes: float) -> str:
    if size_bytes < 0:
        return "no work directory that can be measured"
    return f"{units.format_size(round(size_bytes))} of disk"


def _shape(text: str) -> Shape:
    try:
        return decode(text)
    except ValueError:
        return Shape(slots=0)  # of another version: what the worker says of it is all that is known


def _capacity(value: object) -> Capacity | None:
    if not isinstance(value, dict):
        return None
    numbers = [value.get(name) for name in ("slots", "cpus", "memory_bytes", "disk_bytes")]
    sound = [number for number in numbers if isinstance(number, int | float) and math.isfinite(number)]
    if len(sound) < len(numbers):
        return None
    slots, cpus, memory_bytes, disk_bytes = sound
    for_tasks = value.get("for_tasks") is True
    return Capacity(round(slots), cpus, round(memory_bytes), round(disk_bytes), for_tasks)
