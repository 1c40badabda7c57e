"""What a run will do, as a pure function of its seed: the jobs, who of them is cancelled when, the faults.

Faults are due by progress, not by time: after so many jobs have ended. So the same seed makes the same plan on any
machine; what the processes make of it differs from run to run, which is why a violation keeps its home.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from hysds.core.spec import MAX_PRIORITY


class JobKind(StrEnum):
    """What a job's command does (`hysds.chaos.workload`)."""

    PLAIN = "plain"
    FAILS = "fails"
    RETRIES = "retries"
    FORKS = "forks"
    STUBBORN = "stubborn"


class Cancel(StrEnum):
    """When a job is cancelled: as soon as it was accepted, or once it has begun."""

    NEVER = "never"
    ACCEPTED = "accepted"
    BEGUN = "begun"


class FaultKind(StrEnum):
    """What befalls a process, or what a worker is told. `BAND`: a worker, its guardian and its keepers together."""

    KILL_WORKER = "kill worker"
    KILL_GUARDIAN = "kill guardian"
    KILL_KEEPER = "kill keeper"
    KILL_BAND = "kill worker, guardian and keepers"
    KILL_INDEXER = "kill indexer"
    KILL_RECONCILER = "kill reconciler"
    KILL_SERVER = "kill server"
    STOP_WORKER = "stop worker beyond its lease"
    STOP_GUARDIAN = "stop guardian beyond the lease"
    STOP_BOTH = "stop worker and guardian beyond the lease"
    LOSE_BELLS = "lose all bells"
    RESTART_WORKER = "restart worker in order"
    DRAIN_WORKER = "drain worker, then resume it"


LIMITED_KEYS = ("chaos one", "chaos two")
MAX_RUNNING = 2

STOPS = frozenset({FaultKind.STOP_WORKER, FaultKind.STOP_GUARDIAN, FaultKind.STOP_BOTH})
_WEIGHTS = {
    FaultKind.KILL_WORKER: 4,
    FaultKind.KILL_GUARDIAN: 2,
    FaultKind.KILL_KEEPER: 2,
    FaultKind.KILL_BAND: 2,
    FaultKind.KILL_INDEXER: 2,
    FaultKind.KILL_RECONCILER: 2,
    FaultKind.KILL_SERVER: 3,
    FaultKind.STOP_WORKER: 1,
    FaultKind.STOP_GUARDIAN: 1,
    FaultKind.STOP_BOTH: 1,
    FaultKind.LOSE_BELLS: 2,
    FaultKind.RESTART_WORKER: 2,
    FaultKind.DRAIN_WORKER: 1,
}
_MOST_STOPS = 0.2
"""Of the faults: each takes longer than a lease."""
_FIRST, _LAST = 0.05, 0.85
"""The part of the jobs after whose ends the faults come: others must be left to suffer them."""


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One job. `work` tells jobs with the same work, twins, which share a number; `forced`: it is no duplicate."""

    number: int
    work: int
    kind: JobKind
    steps: int
    pause_s: float
    priority: int
    slots: int = 1
    cpus: int | None = None
    delay_s: float = 0.0
    """How long after its submission it may start."""
    cancel: Cancel = Cancel.NEVER
    forced: bool = False

    @property
    def key(self) -> str:
        """Its `concurrency_key`, of which MAX_RUNNING jobs may run at once; "" for most."""
        return LIMITED_KEYS[self.work % len(LIMITED_KEYS)] if self.work % 4 == 1 else ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: due when `after` jobs have ended. `worker`: which one, from 0, where it befalls one; the next one
    where that has nothing to be hit.
    """

    number: int
    after: int
    kind: FaultKind
    worker: int


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is. `workers`: how many processes, each with `slots`."""

    jobs: int = 150
    faults: int = 12
    workers: int = 2
    slots: int = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a run."""

    seed: int
    size: Size
    jobs: tuple[PlannedJob, ...]
    faults: tuple[Fault, ...]


def make(seed: int, size: Size) -> Plan:
    """The plan of a seed; equal for equal arguments, on any machine."""
    chance = random.Random(seed)
    jobs: list[PlannedJob] = []
    for number in range(size.jobs):
        jobs.append(
            _twin(number, jobs, chance) if jobs and chance.random() < 0.1 else _job(number, size, chance)
        )
    return Plan(seed, size, tuple(jobs), _faults(size, chance))


def _job(number: int, size: Size, chance: random.Random) -> PlannedJob:
    kinds = list(JobKind)
    [kind] = chance.choices(kinds, weights=(66, 10, 10, 9, 5))
    is_long = kind is JobKind.PLAIN and chance.random() < 0.1
    steps, pause_s = chance.randint(1, 3), (0.3 if is_long else chance.choice((0.0, 0.0, 0.02)))
    cancel = Cancel.NEVER
    if kind is JobKind.STUBBORN:
        pause_s, cancel = 0.2, chance.choice((Cancel.BEGUN, Cancel.NEVER))
    elif chance.random() < 0.1:
        cancel = chance.choice((Cancel.ACCEPTED, Cancel.BEGUN))
    return PlannedJob(
        number,
        work=number,
        kind=kind,
        steps=steps,
        pause_s=pause_s,
        priority=chance.randint(0, MAX_PRIORITY),
        slots=chance.choice((1, 1, 1, 1, size.slots)),
        cpus=chance.choice((None, None, None, 1)),
        delay_s=chance.choice((0.2, 1.0)) if chance.random() < 0.08 else 0.0,
        cancel=cancel,
    )


def _twin(number: int, jobs: list[PlannedJob], chance: random.Random) -> PlannedJob:
    """A later job with the work of an earlier one, recent ones first: they are live still."""
    near = jobs[-10:] if chance.random() < 0.7 else jobs
    of = chance.choice(near)
    return PlannedJob(
        number,
        of.work,
        of.kind,
        of.steps,
        of.pause_s,
        chance.randint(0, MAX_PRIORITY),
        of.slots,
        of.cpus,
        forced=chance.random() < 0.3,
    )


def _faults(size: Size, chance: random.Random) -> tuple[Fault, ...]:
    """Every kind in turn before any comes again, in an order of its own: a short run leaves out few."""
    kinds: list[FaultKind] = []
    while len(kinds) < size.faults:
        kinds += chance.sample(list(_WEIGHTS), len(_WEIGHTS))
        kinds += chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=len(_WEIGHTS))
    kinds = _with_few_stops(kinds[: size.faults], chance)
    first, last = round(_FIRST * size.jobs), round(_LAST * size.jobs)
    dues = sorted(chance.randint(first, max(last, first)) for _ in kinds)
    return tuple(
        Fault(number, after, kind, chance.randrange(size.workers))
        for number, (after, kind) in enumerate(zip(dues, kinds, strict=True))
    )


def _with_few_stops(kinds: list[FaultKind], chance: random.Random) -> list[FaultKind]:
    most, stops = max(round(len(kinds) * _MOST_STOPS), 1), 0
    kept = []
    for kind in kinds:
        stops += kind in STOPS
        kept.append(FaultKind.KILL_WORKER if kind in STOPS and stops > most else kind)
    return kept
