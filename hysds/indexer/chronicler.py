"""The chronicler's rounds: read what happened beside jobs, write its documents, acknowledge; and drop what is old.

At least once, as with jobs: an entry is acknowledged after its document is written. While the chronicle is away entries
wait in the journal, which is bounded: what it had to drop is told.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hysds.core import happenings
from hysds.core.errors import NotInitialised, Unreachable
from hysds.core.generations import Generations
from hysds.core.happenings import EVENT, WORKER
from hysds.core.metric_names import Metric
from hysds.indexer import projection
from hysds.lib import clocks, transport_retry
from hysds.lib.transport_retry import Persistence
from hysds.ports.chronicle import Chronicle, Document, Writing, Written
from hysds.ports.journal import Journal, Note
from hysds.ports.metrics import Metrics
from hysds.ports.store import DeadLetter, Store

_LOG = logging.getLogger("hysds.indexer")
GROUP = "chronicler"


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a chronicler reads, and how long documents are kept. `member` names this process and no other."""

    member: str
    event_retention_s: float | None = None
    """Older events are deleted; None: none is."""
    worker_retention_s: float | None = None
    """Workers that were not heard of for so long are deleted; None: none is."""
    batch: int = 500
    """The most entries of one round."""
    interval_s: float = 0.2
    """After a round that was not full, others gather for so long."""
    patience_s: float = 1.0
    """How long one read waits for the first entry; a stop is noticed after it."""
    adopt_after_s: float = 10.0
    """An entry that another member left alone for so long is taken over."""
    trim_every_s: float = 5.0
    prune_every_s: float = 600.0
    persistence: Persistence = field(default_factory=lambda: Persistence(attempts=5))
    """How hard a round is tried before the outage is logged; it goes on for as long as the outage."""


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where documents go, and where it is said why one could not."""

    chronicle: Chronicle
    store: Store


def _made() -> Generations:
    """A chronicle that needs nothing made."""
    return Generations()


class Chronicler:
    """Writes a document for all that the journal tells. One thread.

    `prepare` makes what the chronicle says that it lacks, and answers which generations there are; it may raise
    Unreachable. `clock_s` never goes back.
    """

    def __init__(
        self,
        journal: Journal,
        shelves: Shelves,
        keeping: Keeping,
        metrics: Metrics,
        prepare: Callable[[], Generations] = _made,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._shelves = shelves
        self._keeping = keeping
        self._metrics = metrics
        self._prepare = prepare
        self._clock_s = clock_s
        self._adopts_at_s = self._trims_at_s = self._prunes_at_s = 0.0
        self._dropped: int | None = None
        self._is_away = False

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop; the round then under way is finished."""
        while not stop.is_set():
            done = self._insisted(stop)
            if done is None:
                stop.wait(self._keeping.persistence.longest_wait_s)
            elif 0 < done < self._keeping.batch:
                stop.wait(self._keeping.interval_s)

    def step(self) -> int:
        """One round; answers how many entries it did.

        Raises: Unreachable when a part does not answer; all that was read comes again then.
        """
        notes = self._taken()
        documents = [happenings.document(note.happening) for note in notes]
        answers = self._written(documents)
        self._set_aside(documents, answers)
        self._count(documents, answers)
        if notes:
            self._journal.done(GROUP, [note.position for note in notes])
        self._tidy()
        return len(notes)

    def _taken(self) -> tuple[Note, ...]:
        """What a dead member was given and never did comes first, then what is new."""
        keeping, now_s = self._keeping, self._clock_s()
        if now_s >= self._adopts_at_s:
            notes = self._journal.adopt(GROUP, keeping.member, keeping.adopt_after_s, keeping.batch)
            if len(notes) < keeping.batch:
                self._adopts_at_s = now_s + keeping.adopt_after_s / 2
            if notes:
                return notes
        return self._journal.read(GROUP, keeping.member, keeping.batch, keeping.patience_s)

    def _written(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        try:
            return projection.written(documents, self._shelves.chronicle)
        except NotInitialised:
            known = self._prepare()
        try:
            return projection.written(documents, self._shelves.chronicle)
        except NotInitialised as lack:
            return projection.timely(documents, self._shelves.chronicle, known, lack)

    def _set_aside(self, documents: Sequence[Document], answers: Sequence[Written]) -> None:
        refused = [
            (one, answer.reason)
            for one, answer in zip(documents, answers, strict=True)
            if answer.how is Writing.REFUSED
        ]
        for one, reason in refused:
            extra = {"action": "set_aside", "resource": one["resource"]}
            _LOG.error("%s %s has no document: %s", one["resource"], one["id"], reason, extra=extra)
            self._metrics.count(Metric.INDEXED, outcome="set-aside")
        if refused:
            now_ms = clocks.wall_ms()
            letters = [
                DeadLetter(str(one["id"]), max(one["revision"], 1), reason, now_ms) for one, reason in refused
            ]
            self._shelves.store.set_aside(letters)

    def _count(self, documents: Sequence[Document], answers: Sequence[Written]) -> None:
        kept = [one for one, answer in zip(documents, answers, strict=True) if answer.how is Writing.WRITTEN]
        for resource in (WORKER, EVENT):
            count = sum(one["resource"] == resource for one in kept)
            if count:
                self._metrics.count(Metric.HAPPENINGS, count, resource=resource)

    def _tidy(self) -> None:
        """Now and then: trim the journal, tell of what it lost, delete old documents."""
        now_s = self._clock_s()
        if now_s >= self._trims_at_s:
            self._trims_at_s = now_s + self._keeping.trim_every_s
            self._journal.trim()
            self._metrics.gauge(Metric.JOURNAL_BEHIND, self._journal.backlog(GROUP))
            self._tell_of_dropped(self._journal.dropped())
        if now_s >= self._prunes_at_s:
            self._prunes_at_s = now_s + self._keeping.prune_every_s
            self._prune(EVENT, self._keeping.event_retention_s)
            self._prune(WORKER, self._keeping.worker_retention_s)

    def _tell_of_dropped(self, dropped: int) -> None:
        """What was dropped before this process looked first is no news."""
        more = 0 if self._dropped is None else dropped - self._dropped
        self._dropped = dropped
        if more > 0:
            self._metrics.count(Metric.JOURNAL_DROPPED, more)
            _LOG.warning(
                "%d happenings have no document: the journal was full (journal.memory), or the ledger's server was",
                more,
                extra={"action": "dropped"},
            )

    def _prune(self, resource: str, retention_s: float | None) -> None:
        if retention_s is None:
            return
        before_ms = clocks.wall_ms() - round(retention_s * 1000)
        while self._shelves.chronicle.delete_before(resource, before_ms):
            pass

    def _insisted(self, stop: threading.Event) -> int | None:
        """One round, tried again while something is away; None when it still is."""

        def attempt() -> int | None:
            return None if stop.is_set() else self.step()

        try:
            done = transport_retry.insist(attempt, (Unreachable,), self._keeping.persistence)
        except Unreachable as error:
            if not self._is_away:
                _LOG.warning("the chronicle waits: %s", error, extra={"action": "outage", "part": error.part})
            self._is_away = True
            return None
        if done is not None and self._is_away:
            self._is_away = False
            _LOG.info("the chronicle goes on", extra={"action": "recovered"})
        return done
