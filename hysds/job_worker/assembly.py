"""Puts a job worker together from its settings and from what stands behind its ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hysds.job_worker.claims import Bidding, Claims, Ends
from hysds.job_worker.holdings import Holdings
from hysds.job_worker.host import Host, HostSettings
from hysds.job_worker.leases import LeaseKeeper, Terms, Watched
from hysds.job_worker.run import Tools
from hysds.job_worker.worker import Identity, JobWorker, Parts
from hysds.ports.engines import Engine
from hysds.ports.ledger import Ledger
from hysds.ports.logs import Logs
from hysds.settings.model import Settings

RESERVE_AFTER_S = 60.0
"""How long the best ready job may not fit before a host that could hold it alone is kept free for it."""


@dataclass(frozen=True, slots=True)
class World:
    """What a worker reaches. `chance` draws a number in [0, 1)."""

    ledger: Ledger
    logs: Logs
    engine: Engine
    chance: Callable[[], float]


def job_worker(identity: Identity, settings: Settings, world: World) -> JobWorker:
    """A worker that has not started."""
    settings.work_dir.mkdir(parents=True, exist_ok=True)
    host = Host(
        HostSettings(
            identity.slots,
            settings.worker.memory_bytes,
            settings.worker.disk_reserve_bytes,
            settings.work_dir,
        )
    )
    terms = Terms(
        lease_s=settings.ledger.lease_s,
        renew_interval_s=settings.ledger.renew_interval_s,
        announce_s=2 * settings.ledger.lease_s,
        stop_grace_s=settings.worker.stop_grace_s,
    )
    holdings, ends = Holdings(), Ends()
    lease_ms, reserve_ms = round(terms.lease_s * 1000), round(RESERVE_AFTER_S * 1000)
    bidding = Bidding(identity.incarnation, identity.queues, lease_ms, reserve_ms)
    claims = Claims(world.ledger, host, holdings, bidding, ends)
    watched = Watched(claims, holdings, host)
    return JobWorker(
        identity,
        Parts(
            ledger=world.ledger,
            host=host,
            claims=claims,
            holdings=holdings,
            engine=world.engine,
            keeper=LeaseKeeper(identity.incarnation, world.ledger, world.engine, watched, terms),
            ends=ends,
            tools=_tools(identity, settings, world),
            terms=terms,
            drain_timeout_s=settings.worker.drain_timeout_s,
        ),
    )


def _tools(identity: Identity, settings: Settings, world: World) -> Tools:
    return Tools(
        engine=world.engine,
        logs=world.logs,
        root=settings.work_dir,
        host=identity.host,
        default_time_limit_s=settings.jobs.default_time_limit_s,
        time_limit_gap_s=settings.jobs.hard_time_limit_gap_s,
        chance=world.chance,
    )
