"""Puts a job worker together from its settings and from what stands behind its ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hysds.job_worker import run
from hysds.job_worker.run import Tools
from hysds.leasing import assembly, measuring
from hysds.leasing.attempt import Attempt
from hysds.leasing.conclusion import Verdict
from hysds.leasing.foothold import Foothold
from hysds.leasing.presence import Identity
from hysds.leasing.worker import LeaseWorker, Parts
from hysds.ports.engines import Engine
from hysds.ports.ledger import Ledger
from hysds.ports.litter import Litter
from hysds.ports.logs import Logs
from hysds.ports.metrics import Metrics
from hysds.settings.model import Settings


@dataclass(frozen=True, slots=True)
class World:
    """What a worker reaches. `chance` draws a number in [0, 1)."""

    ledger: Ledger
    logs: Logs
    engine: Engine
    chance: Callable[[], float]
    litter: Litter | None = None
    """None: nobody purges."""
    metrics: Metrics | None = None
    """None: nobody counts."""


def job_worker(identity: Identity, settings: Settings, world: World) -> LeaseWorker:
    """A worker that has not started."""
    of = measuring.measured(parts(identity, settings, world), identity.slots, world.metrics)
    return LeaseWorker(identity, of)


def parts(identity: Identity, settings: Settings, world: World) -> Parts:
    """What such a worker is made of. From now on its foothold tells that it lives."""

    def work(foothold: Foothold) -> Callable[[Attempt], Verdict]:
        return partial(run.run, tools=_tools(identity.host, settings, world, foothold))

    reach = assembly.Reach(world.ledger, world.engine, world.litter)
    return assembly.parts(identity, settings, reach, work)


def _tools(host: str, settings: Settings, world: World, foothold: Foothold) -> Tools:
    return Tools(
        engine=world.engine,
        logs=world.logs,
        root=settings.work_dir,
        host=host,
        default_time_limit_s=settings.jobs.default_time_limit_s,
        time_limit_gap_s=settings.jobs.hard_time_limit_gap_s,
        chance=world.chance,
        begin=foothold.begin,
        ledger_ms=world.ledger.now_ms,
    )
