"""Puts a worker together, whatever it does, from its settings and from what stands behind its ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hysds.leasing.attempt import Attempt
from hysds.leasing.claims import Bidding, Claims, Ends
from hysds.leasing.conclusion import Verdict
from hysds.leasing.draining import LAST_WORD_S, DrainTerms
from hysds.leasing.foothold import Foothold, Holder
from hysds.leasing.holdings import Holdings
from hysds.leasing.host import Host, HostSettings
from hysds.leasing.leases import LeaseKeeper, Terms, Watched
from hysds.leasing.orphans import Orphans
from hysds.leasing.presence import Identity
from hysds.leasing.sweeping import Sweeper
from hysds.leasing.worker import Parts
from hysds.lib import machine
from hysds.lib.process import suspects
from hysds.ports.engines import Engine
from hysds.ports.ledger import Ledger
from hysds.ports.litter import Litter
from hysds.settings import urls
from hysds.settings.model import Settings

RESERVE_AFTER_S = 60.0
"""How long the best ready job may not fit before a host that could hold it alone is kept free for it."""
_LAST_WORD_RENEWALS = 5
"""How long a worker that drains waits for a ledger that does not answer, beyond the time that its jobs have to end."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What every worker reaches."""

    ledger: Ledger
    engine: Engine
    litter: Litter | None = None
    """None: nobody purges."""


def parts(
    identity: Identity,
    settings: Settings,
    reach: Reach,
    work: Callable[[Foothold], Callable[[Attempt], Verdict]],
    for_tasks: bool = False,
) -> Parts:
    """What such a worker is made of; `work` makes what carries its jobs out. From now on its foothold tells that it
    lives.
    """
    settings.work_dir.mkdir(parents=True, exist_ok=True)
    host, holdings, ends = _host(identity.slots, settings, for_tasks), Holdings(), Ends()
    terms = _terms(settings)
    lease_ms, reserve_ms = round(terms.lease_s * 1000), round(RESERVE_AFTER_S * 1000)
    bidding = Bidding(identity.incarnation, identity.queues, lease_ms, reserve_ms)
    claims = Claims(reach.ledger, host, holdings, bidding, ends)
    watched = Watched(claims, holdings, host)
    holder = _holder(identity.incarnation, settings)
    foothold = Foothold(settings.work_dir, holder)
    return Parts(
        ledger=reach.ledger,
        host=host,
        claims=claims,
        holdings=holdings,
        engine=reach.engine,
        keeper=LeaseKeeper(identity.incarnation, reach.ledger, reach.engine, watched, terms),
        ends=ends,
        foothold=foothold,
        orphans=Orphans(settings.work_dir, reach.ledger, holder),
        sweeper=None if reach.litter is None else Sweeper(settings.work_dir, identity.host, reach.litter),
        carry_out=work(foothold),
        goes_on=for_tasks,
        root=None if for_tasks else settings.work_dir,
        terms=terms,
        drain_terms=_drain_terms(settings),
    )


def orphans(settings: Settings, ledger: Ledger) -> Orphans:
    """For whoever is no worker, but is to look after what dead ones left on this host."""
    return Orphans(settings.work_dir, ledger, _holder("", settings))


def _holder(incarnation: str, settings: Settings) -> Holder:
    where = urls.masked(settings.ledger_url)
    return Holder(incarnation, machine.this(), f"{where} {settings.ledger.prefix}", suspects.origin())


def _host(slots: int, settings: Settings, for_tasks: bool) -> Host:
    worker = settings.worker
    return Host(
        HostSettings(
            slots,
            worker.memory_bytes,
            worker.disk_reserve_bytes,
            settings.work_dir,
            for_tasks,
            worker.instance_metadata,
        )
    )


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
