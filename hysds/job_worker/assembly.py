"""Puts a job worker together from its settings and from what stands behind its ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hysds.job_worker.claims import Bidding, Claims, Ends
from hysds.job_worker.draining import LAST_WORD_S, DrainTerms
from hysds.job_worker.foothold import Foothold, Holder
from hysds.job_worker.holdings import Holdings
from hysds.job_worker.host import Host, HostSettings
from hysds.job_worker.leases import LeaseKeeper, Terms, Watched
from hysds.job_worker.orphans import Orphans
from hysds.job_worker.presence import Identity
from hysds.job_worker.run import Tools
from hysds.job_worker.worker import JobWorker, Parts
from hysds.lib import machine
from hysds.lib.process import suspects
from hysds.ports.engines import Engine
from hysds.ports.ledger import Ledger
from hysds.ports.logs import Logs
from hysds.settings import urls
from hysds.settings.model import Settings

RESERVE_AFTER_S = 60.0
"""How long the best ready job may not fit before a host that could hold it alone is kept free for it."""
_LAST_WORD_RENEWALS = 5
"""How long a worker that drains waits for a ledger that does not answer, beyond the time that its jobs have to end."""


@dataclass(frozen=True, slots=True)
class World:
    """What a worker reaches. `chance` draws a number in [0, 1)."""

    ledger: Ledger
    logs: Logs
    engine: Engine
    chance: Callable[[], float]


def job_worker(identity: Identity, settings: Settings, world: World) -> JobWorker:
    """A worker that has not started."""
    return JobWorker(identity, parts(identity, settings, world))


def parts(identity: Identity, settings: Settings, world: World) -> Parts:
    """What such a worker is made of. From now on its foothold tells that it lives."""
    settings.work_dir.mkdir(parents=True, exist_ok=True)
    host, holdings, ends = _host(identity.slots, settings), Holdings(), Ends()
    terms = _terms(settings)
    lease_ms, reserve_ms = round(terms.lease_s * 1000), round(RESERVE_AFTER_S * 1000)
    bidding = Bidding(identity.incarnation, identity.queues, lease_ms, reserve_ms)
    claims = Claims(world.ledger, host, holdings, bidding, ends)
    watched = Watched(claims, holdings, host)
    holder = _holder(identity.incarnation, settings)
    foothold = Foothold(settings.work_dir, holder)
    return Parts(
        ledger=world.ledger,
        host=host,
        claims=claims,
        holdings=holdings,
        engine=world.engine,
        keeper=LeaseKeeper(identity.incarnation, world.ledger, world.engine, watched, terms),
        ends=ends,
        foothold=foothold,
        orphans=Orphans(settings.work_dir, world.ledger, holder),
        tools=_tools(identity.host, settings, world, foothold),
        terms=terms,
        drain_terms=_drain_terms(settings),
    )


def orphans(settings: Settings, ledger: Ledger) -> Orphans:
    """For whoever is no worker, but is to look after what dead ones left on this host."""
    return Orphans(settings.work_dir, ledger, _holder("", settings))


def _holder(incarnation: str, settings: Settings) -> Holder:
    where = urls.masked(settings.ledger_url)
    return Holder(incarnation, machine.this(), f"{where} {settings.ledger.prefix}", suspects.origin())


def _host(slots: int, settings: Settings) -> Host:
    worker = settings.worker
    return Host(HostSettings(slots, worker.memory_bytes, worker.disk_reserve_bytes, settings.work_dir))


def _terms(settings: Settings) -> Terms:
    return Terms(
        lease_s=settings.ledger.lease_s,
        renew_interval_s=settings.ledger.renew_interval_s,
        announce_s=2 * settings.ledger.lease_s,
        stop_grace_s=settings.worker.stop_grace_s,
    )


def _drain_terms(settings: Settings) -> DrainTerms:
    return DrainTerms(
        timeout_s=settings.worker.drain_timeout_s,
        stop_grace_s=settings.worker.stop_grace_s,
        last_word_s=min(_LAST_WORD_RENEWALS * settings.ledger.renew_interval_s, LAST_WORD_S),
    )


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
