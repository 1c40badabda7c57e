"""The indexer's rounds: read events, project their jobs, acknowledge; and what it does while something is away.

An event is acknowledged after its job's document is in the store, or in this host's spill, never before: at least
once, and nothing lost. Several indexers share the stream; the entries of one that died are adopted by the others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hysds.core.errors import Full, NotInitialised, Unreachable
from hysds.indexer.archiving import ARCHIVE, Archiving, ended
from hysds.indexer.founding import Founding
from hysds.indexer.ghosts import Found, Ghosts
from hysds.indexer.measuring import Measuring
from hysds.indexer.projection import Built, Made, Projected, made_ahead, settle
from hysds.indexer.relief import Relief
from hysds.lib import transport_retry
from hysds.lib.transport_retry import Persistence
from hysds.ports.archive import Archive
from hysds.ports.events import Entry, Events
from hysds.ports.indices import Indices
from hysds.ports.ledger import Ledger
from hysds.ports.store import Store

_LOG = logging.getLogger("hysds.indexer")

_ONCE = Persistence(attempts=1)
_SPARED = ("", "store", ARCHIVE)
"""The part that is away, "" for none, where documents may go to the spill: they are made from the ledger."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How an indexer reads. `member` names this process and no other, living or dead."""

    member: str
    group: str = "indexer"
    batch: int = 2_000
    """The most events of one round; documents are made and written 500 at once."""
    interval_s: float = 0.2
    """After a round that was not full, others gather for so long."""
    patience_s: float = 1.0
    """How long one read waits for the first event; a stop is noticed after it."""
    adopt_after_s: float = 10.0
    """An entry that another member left alone for so long is taken over. Too early costs a repeat, nothing else."""
    trim_every_s: float = 5.0
    """So often the stream is trimmed, and the roster signed."""
    ghosts_every_s: float = 60.0
    """So often all documents that have not ended are held against the ledger."""
    persistence: Persistence = field(default_factory=lambda: Persistence(attempts=5))
    """How hard a round is tried before the outage is logged; it goes on for as long as the outage."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    entries: int = 0
    projected: Projected = field(default_factory=Projected)
    trimmed: int = 0
    ghosts: Found = field(default_factory=Found)
    drained: Projected | None = None
    """What became of a portion of the spill; None: there was none."""


def _unseen() -> None:
    """Nobody keeps a roster."""


@dataclass(frozen=True, slots=True)
class Aids:
    """What an indexer may have beside ledger and store. `sign` tells the roster that this indexer works; it may raise
    Unreachable. Without `relief` everything waits in the ledger while store or archive are away; `indices`: None for a
    store that has none to be made.
    """

    sign: Callable[[], None] = _unseen
    relief: Relief | None = None
    measure: Measuring = field(default_factory=lambda: Measuring(None))
    archive: Archive | None = None
    indices: Indices | None = None


class Indexer:
    """Writes a document for each job that changed. One thread. `clock_s` counts seconds and never goes back."""

    def __init__(
        self,
        events: Events,
        ledger: Ledger,
        store: Store,
        pace: Pace,
        clock_s: Callable[[], float] = time.monotonic,
        aids: Aids = Aids(),
    ) -> None:
        self._events = events
        self._ledger = ledger
        self._store = store
        self._pace = pace
        self._clock_s = clock_s
        self._aids = aids
        self._archiving = Archiving(aids.archive, clock_s)
        self._founding = Founding(ledger, aids.indices)
        self._ghosts = Ghosts(ledger, store, pace.ghosts_every_s, clock_s, self._archiving.append)
        self._adopts_at_s = 0.0
        self._trims_at_s = 0.0
        self._relieves_at_s = 0.0
        self._away = ""

    @property
    def is_away(self) -> bool:
        """Whether a part did not answer when it was asked last. Any thread may ask."""
        return self._away != ""

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop; the round then under way is finished."""
        while not stop.is_set():
            done = self._insisted(stop)
            self._aids.measure.is_away(self.is_away)
            self._relieve(stop)
            if done is None:
                stop.wait(self._pace.persistence.longest_wait_s)
            elif 0 < done.entries < self._pace.batch and done.drained is None:
                stop.wait(self._pace.interval_s)

    def step(self) -> Round:
        """One round: a portion of what was spilled, and events. It does nothing where there is neither.

        Raises: Unreachable when a part does not answer; all that was read comes again then.
        """
        drained = self._drained()
        # While a part is away one event tells whether it is back: it would be a waste to build hundreds for nothing.
        entries = self._taken(1 if self._away else self._pace.batch, drained is None)
        projected = Projected()
        for what in made_ahead(_jobs(entries), self._ledger):
            projected += self._projected(what)
        self._acknowledge(entries)
        self._aids.measure.kept(projected + (drained or Projected()))
        # Behind the trim, which signs the roster: a server that takes no writes may be one that others have left.
        trimmed = self._trimmed()
        # The end of a job that the ledger has forgotten may still be in the spill.
        ghosts = self._ghosts.look() if drained is None else Found()
        return Round(len(entries), projected, trimmed, ghosts, drained)

    def relieve(self, stop: threading.Event) -> Projected:
        """Spill all that waits, where the ledger keeps too much for a store that is away, or slow.

        Raises: Full or Unreachable; what was read and not kept comes again then.
        """
        done, relief = Projected(), self._aids.relief
        if relief is None or not relief.is_due(self._events, self._pace.group, self.is_away):
            return done
        while not stop.is_set():
            entries = self._taken(self._pace.batch, waits=False)
            for what in made_ahead(_jobs(entries), self._ledger):
                self._aids.measure.made(what.built)
                done += relief.keep(what)
            self._acknowledge(entries)
            self._trimmed()
            if len(entries) < self._pace.batch:
                break
        return done

    def _relieve(self, stop: threading.Event) -> None:
        """`relieve`, now and then beside a store that answers; what can't be spilled waits in the ledger."""
        relief, now_s = self._aids.relief, self._clock_s()
        if relief is None or self._away not in _SPARED or (not self._away and now_s < self._relieves_at_s):
            return
        self._relieves_at_s = now_s + self._pace.trim_every_s
        try:
            self._trimmed()  # this process works, although no round of it ends
            done = self.relieve(stop)
            relief.tell(done)
            self._aids.measure.kept(done)
        except (Full, Unreachable) as error:
            relief.tell_of(error)

    def _drained(self) -> Projected | None:
        relief = self._aids.relief
        return relief.drain(self._store, self._archiving, self.is_away) if relief else None

    def _projected(self, what: Made) -> Projected:
        """Into the store, and ended ones into the archive; while that is away into the spill, where there is one."""
        relief = self._aids.relief
        self._aids.measure.made(what.built)
        try:
            return settle(what, self._ledger, self._store, self._archive)
        except Unreachable as error:
            if relief is None or error.part != ARCHIVE:
                raise
            return relief.keep(what)

    def _archive(self, built: Built) -> None:
        self._aids.measure.archived(self._archiving.append(ended(built)))

    def _acknowledge(self, entries: Sequence[Entry]) -> None:
        if entries:
            self._events.done(self._pace.group, [entry.position for entry in entries])
            self._aids.measure.done(entry.event for entry in entries)

    def _taken(self, limit: int, waits: bool) -> tuple[Entry, ...]:
        """What a dead member was given and never did comes first, then what is new."""
        pace = self._pace
        patience_s = pace.patience_s if waits else 0
        return self._adopted(limit) or self._events.read(pace.group, pace.member, limit, patience_s)

    def _adopted(self, limit: int) -> tuple[Entry, ...]:
        now_s = self._clock_s()
        if now_s < self._adopts_at_s:
            return ()
        pace = self._pace
        entries = self._events.adopt(pace.group, pace.member, pace.adopt_after_s, limit)
        if len(entries) < limit:
            self._adopts_at_s = now_s + pace.adopt_after_s / 2
        return entries

    def _trimmed(self) -> int:
        now_s = self._clock_s()
        if now_s < self._trims_at_s:
            return 0
        self._trims_at_s = now_s + self._pace.trim_every_s
        self._aids.sign()
        if self._aids.relief is not None:
            self._aids.measure.spill(self._aids.relief.held)
        return self._events.trim()

    def _insisted(self, stop: threading.Event) -> Round | None:
        """One round, tried again while something is away; None when it still is."""

        def attempt() -> Round | None:
            if stop.is_set():
                return None
            try:
                return self.step()
            except NotInitialised as lack:
                self._founding.mend(lack)
                return self.step()

        pace = self._pace.persistence
        try:
            # Who waits for a part asks it once in a while, with little.
            done = transport_retry.insist(attempt, (Unreachable,), _ONCE if self._away else pace)
        except Unreachable as error:
            if not self._away:
                _LOG.warning("indexing waits: %s", error, extra={"action": "outage", "part": error.part})
            self._away = error.part
            return None
        if done is not None and self._away:
            self._away = ""
            _LOG.info("indexing goes on", extra={"action": "recovered"})
        return done


def _jobs(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Each job once, in the order of their first events."""
    return tuple(dict.fromkeys(entry.event.id for entry in entries))
