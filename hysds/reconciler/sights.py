"""What the watchdogs see at one look at a system."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hysds.core import watchdogs, worker_watchdogs
from hysds.core.alarms import Alarm, Sight
from hysds.core.errors import HysdsError, Unreachable
from hysds.core.explanation import takers
from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.query import JobQuery, Span
from hysds.core.status import Status
from hysds.core.type_names import spellings
from hysds.core.watchdogs import Bounds, Kind, Trouble
from hysds.core.worker_watchdogs import Known
from hysds.ports.ledger import Ledger
from hysds.ports.roster import Roster
from hysds.ports.store import Store
from hysds.reconciler.overdue import Overdue

_EXPECTED_EVERY_S = 60.0
"""So often the store is asked for types that must complete."""
_PING_EVERY_S = 15.0
_NOBODY = "00000000-0000-7000-8000-000000000000"
"""No job's id."""
_INDEXER = "indexer"
_OF_THE_STORE = frozenset({Kind.JOB_OVERDUE, Kind.TYPE_MISSING})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at. `store` answers None where this process can't reach documents."""

    ledger: Ledger
    store: Callable[[], Store | None]
    roster: Roster
    readers: Mapping[Kind, Callable[[], int]]
    """How many events whoever reads them has before it, by the watchdog that is about it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as wrong. Times in seconds."""

    bounds: Bounds = field(default_factory=Bounds)
    kinds: frozenset[Kind] = frozenset(Kind)
    """Those that are not off."""
    behind_for_s: float = 300.0
    periods_ms: Mapping[str, int] | None = None
    """Within what time a job of a type must complete, by type."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and which workers are to be drained for it."""

    sight: Sight
    drains: tuple[Drain, ...] = ()


class Sights:
    """One thread. `clock_s` never goes back."""

    def __init__(self, watched: Watched, terms: Terms, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._watched = watched
        self._terms = terms
        self._clock_s = clock_s
        self._overdue = Overdue(watched.ledger, terms.bounds, clock_s)
        self._since_s: dict[Kind, float] = {}
        self._pinged_at_s = -math.inf
        self._expected_at_s = 0.0
        self._unmet: tuple[tuple[str, int], ...] = ()
        self._is_store_away = False

    def look(self, known: Collection[Alarm], now_ms: int) -> Look:
        """Once at everything. `known`: the alarms so far; `now_ms` is the ledger's wall clock.

        Raises: Unreachable where the ledger does not answer.
        """
        ledger, bounds = self._watched.ledger, self._terms.bounds
        workers = ledger.workers()
        silent = worker_watchdogs.silent(workers, _silent(known), now_ms, bounds)
        settled = {one.key for one in known if one.is_settled}
        failing = worker_watchdogs.failing(workers, ledger.drains(), settled, bounds)
        pulse = ledger.pulse()
        behind, unread = self._behind()
        troubles = [
            *watchdogs.queues(ledger.tallies(), _heard(workers), now_ms, bounds),
            *silent,
            *failing.troubles,
            *worker_watchdogs.disks(workers, bounds),
            *watchdogs.memory(pulse.memory_bytes, pulse.memory_limit_bytes, bounds),
            *behind,
        ]
        found, is_store_there = self._from_store(workers, now_ms)
        kinds = self._terms.kinds - unread - (frozenset() if is_store_there else _OF_THE_STORE)
        seen = [one for one in (*troubles, *found) if one.kind in self._terms.kinds]
        is_watched = Kind.WORKER_FAILING in self._terms.kinds
        # What is off is over: an alarm that nobody looks after any more would stand for ever.
        kinds |= frozenset(Kind) - self._terms.kinds
        return Look(Sight(seen, kinds, failing.settled), failing.drains if is_watched else ())

    def _behind(self) -> tuple[list[Trouble], frozenset[Kind]]:
        """Readers that have been behind for long enough, as far as this process has seen; and those of which nobody
        knows, as rules that another version published."""
        now_s, found, unread = self._clock_s(), list[Trouble](), set[Kind]()
        for kind, behind in self._watched.readers.items():
            try:
                troubles = watchdogs.behind(kind, behind(), self._terms.bounds) or self._idle(kind)
            except Unreachable:
                raise
            except HysdsError as error:
                _log.debug("nobody knows how far behind it is: %s", error)
                unread.add(kind)
                continue
            found += self._lasting(kind, troubles, now_s)
        return found, frozenset(unread)

    def _idle(self, kind: Kind) -> list[Trouble]:
        if kind is not Kind.INDEXER_BEHIND:
            return []
        return watchdogs.idle(one.ago_ms for one in self._watched.roster.signatures() if one.role == _INDEXER)

    def _lasting(self, kind: Kind, troubles: list[Trouble], now_s: float) -> list[Trouble]:
        """Those that this process has seen for long enough."""
        if not troubles:
            self._since_s.pop(kind, None)
            return []
        since_s = self._since_s.setdefault(kind, now_s)
        return troubles if now_s - since_s >= self._terms.behind_for_s else []

    def _from_store(self, workers: Sequence[WorkerState], now_ms: int) -> tuple[list[Trouble], bool]:
        """What documents tell, and whether they could be read."""
        if not self._terms.kinds & {*_OF_THE_STORE, Kind.STORE_AWAY}:
            return [], True
        store = self._watched.store()
        if store is None:
            return [], False
        try:
            self._ping(store)
            found = self._overdue.look(workers, store, now_ms) + self._missing(store, now_ms)
        except HysdsError as error:
            if not self._is_store_away:
                _log.warning("nobody knows which jobs are late: %s", error)
            self._is_store_away = True
            return self._lasting(Kind.STORE_AWAY, watchdogs.away(str(error)), self._clock_s()), False
        self._is_store_away = False
        self._lasting(Kind.STORE_AWAY, [], self._clock_s())
        return found, True

    def _ping(self, store: Store) -> None:
        """Whether it answers, where nothing else is asked of it; one that was away is asked at each look."""
        now_s = self._clock_s()
        if self._is_store_away or now_s - self._pinged_at_s >= _PING_EVERY_S:
            store.get((_NOBODY,))
            self._pinged_at_s = now_s

    def _missing(self, store: Store, now_ms: int) -> list[Trouble]:
        now_s = self._clock_s()
        if now_s >= self._expected_at_s and self._terms.periods_ms:
            pairs = self._terms.periods_ms.items()
            self._unmet = tuple(pair for pair in pairs if not _completed(store, *pair, now_ms))
            self._expected_at_s = now_s + _EXPECTED_EVERY_S
        return watchdogs.missing(self._unmet)


def _completed(store: Store, name: str, period_ms: int, now_ms: int) -> bool:
    """Whether a job of the type completed within its period."""
    query = JobQuery(
        type=frozenset(spellings(name)),
        status=frozenset({Status.COMPLETED.value}),
        ended=Span(from_ms=now_ms - period_ms),
        limit=0,
    )
    return store.search(query).total > 0


def _silent(known: Iterable[Alarm]) -> list[Known]:
    return [
        Known(one.worker, one.since_ms)
        for one in known
        if one.kind == Kind.WORKER_SILENT and one.stands and one.worker
    ]


def _heard(workers: Iterable[WorkerState]) -> set[str]:
    standing = (one for one in workers if one.slots > 0 and not takers.is_silent(one, takers.facts_of(one)))
    return {queue for one in standing for queue in one.queues}
