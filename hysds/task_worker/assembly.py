"""Puts a task worker together from its settings and from what stands behind its ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hysds.leasing import assembly, foothold, measuring
from hysds.leasing.attempt import Attempt
from hysds.leasing.conclusion import Verdict
from hysds.leasing.foothold import Foothold
from hysds.leasing.presence import Identity
from hysds.leasing.worker import LeaseWorker, Parts
from hysds.ports.engines import Engine, Running, Workload
from hysds.ports.ledger import Ledger
from hysds.ports.litter import Litter
from hysds.ports.metrics import Metrics
from hysds.settings.model import Settings
from hysds.task_worker import children, run
from hysds.task_worker.children import Children, Upbringing
from hysds.task_worker.run import Tools


@dataclass(frozen=True, slots=True)
class World:
    """What a worker reaches. `chance` draws a number in [0, 1)."""

    ledger: Ledger
    engine: Engine
    chance: Callable[[], float]
    environ: Mapping[str, str]
    """The environment of children."""
    directory: Path
    """Where the worker was started."""
    litter: Litter | None = None
    """None: nobody purges."""
    metrics: Metrics | None = None
    """None: nobody counts."""


class Nursery:
    """The engine, with children that may be there before the worker is announced, and go before it ends."""

    def __init__(self, engine: Engine, kept: Children, root: Path, early: bool) -> None:
        """`early`: children are made before any task comes; else when one does."""
        self._early = early
        self._engine = engine
        self._children = kept
        self._root = root

    def prepare(self) -> None:
        """Start what guards the children, and the children."""
        self._engine.prepare()
        children.clear(self._root, {foothold.incarnation(path) for path in foothold.all_folders(self._root)})
        if self._early:
            self._children.fill()

    def start(self, workload: Workload) -> Running:
        """Nobody but the children asks for that."""
        return self._engine.start(workload)

    def beat(self) -> None:
        self._engine.beat()

    def isolated(self, since_boot_s: float) -> None:
        self._engine.isolated(since_boot_s)

    def connected(self) -> None:
        self._engine.connected()

    def close(self) -> None:
        """End all children, and what guards them."""
        self._children.close()
        self._engine.close()
        self._children.bury()


def task_worker(identity: Identity, settings: Settings, world: World) -> LeaseWorker:
    """A worker that has not started."""
    of = measuring.measured(parts(identity, settings, world), identity.slots, world.metrics)
    return LeaseWorker(identity, of)


def parts(identity: Identity, settings: Settings, world: World) -> Parts:
    """What such a worker is made of. From now on its foothold tells that it lives."""
    kept = Children(world.engine, _upbringing(identity, settings, world))
    tools = Tools(
        children=kept,
        host=identity.host,
        default_time_limit_s=settings.tasks.default_time_limit_s,
        time_limit_gap_s=settings.jobs.hard_time_limit_gap_s,
        chance=world.chance,
        ledger_ms=world.ledger.now_ms,
    )

    def work(_: Foothold) -> Callable[[Attempt], Verdict]:
        return partial(run.run, tools=tools)

    # One that only takes in calls needs none, unless somebody sends a task there after all.
    early = identity.queues != (settings.tasks.submit_queue,)
    reach = assembly.Reach(world.ledger, Nursery(world.engine, kept, settings.work_dir, early), world.litter)
    return assembly.parts(identity, settings, reach, work, for_tasks=True)


def _upbringing(identity: Identity, settings: Settings, world: World) -> Upbringing:
    tasks = settings.tasks
    return Upbringing(
        worker=identity.incarnation,
        root=settings.work_dir,
        environ=world.environ,
        directory=world.directory,
        allow=tasks.allow or (),
        most=identity.slots,
        max_tasks=tasks.max_tasks_per_child,
        max_memory_bytes=tasks.max_memory_per_child_bytes,
    )
