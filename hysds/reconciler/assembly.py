"""Puts the watchdogs together from settings, and from what stands behind the ports."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hysds.core.watchdogs import Bounds, Kind
from hysds.ports.ledger import Ledger
from hysds.ports.notifier import Notifier
from hysds.ports.roster import Roster
from hysds.ports.store import Store
from hysds.reconciler.notifying import Notifying, Told
from hysds.reconciler.sights import Sights, Terms, Watched
from hysds.reconciler.watchdogs import Books, Watchdogs
from hysds.settings import watchdogs as words
from hysds.settings.model import Settings

_USUAL_PREFIX = "hysds"


@dataclass(frozen=True, slots=True)
class World:
    """What watchdogs reach. `readers`: how many events whoever reads them has before it, by the watchdog about it.
    `store` answers None where this process can read no documents.
    """

    ledger: Ledger
    roster: Roster
    readers: Mapping[Kind, Callable[[], int]]
    store: Callable[[], Store | None]
    books: Books
    notifier: Callable[[], Notifier]


def watchdogs(
    settings: Settings, member: str, world: World, clock_s: Callable[[], float] = time.monotonic
) -> Watchdogs:
    """`member` names this life of this process; `clock_s` never goes back.

    Raises: InvalidSettings where the file of webhooks can't be read.
    """
    sights = Sights(Watched(world.ledger, world.store, world.roster, world.readers), terms(settings), clock_s)
    books = world.books
    telling = Notifying(told(settings), member, books.alarms, world.notifier, books.metrics)
    return Watchdogs(sights, world.ledger, books, telling)


def terms(settings: Settings) -> Terms:
    """What counts as wrong."""
    of = settings.watchdogs
    bounds = Bounds(
        queue_age_ms=round(of.queue_age_s * 1000),
        silence_ms=round(of.silence_s * 1000),
        failures=of.failures,
        failing_percent=of.failing_percent,
        overdue_factor=of.overdue_factor,
        overdue_least_ms=round(of.overdue_least_s * 1000),
        disk_low_bytes=of.disk_low_bytes,
        behind=of.behind,
        memory_percent=of.memory_percent,
    )
    kinds = frozenset(Kind) - {Kind(name) for name in of.off or ()}
    return Terms(bounds, kinds, of.behind_for_s, words.periods_ms(of.expect))


def told(settings: Settings) -> Told:
    """Whom to tell.

    Raises: InvalidSettings
    """
    of, prefix = settings.watchdogs, settings.ledger.prefix
    return Told(
        _USUAL_PREFIX if prefix == _USUAL_PREFIX else f"{_USUAL_PREFIX} {prefix}",
        of.mail_to or (),
        words.webhooks(of.webhooks_file),
        None if of.repeat_s is None else round(of.repeat_s * 1000),
        round(of.gather_s * 1000),
    )
