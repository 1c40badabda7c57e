"""What happened beside jobs, and how a system stands now, for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hysds.bootstrap import System
from hysds.core import chronicle_query
from hysds.core import happenings as forms
from hysds.core.chronicle_query import ChroniclePage, ChronicleQuery
from hysds.core.document import document
from hysds.core.floor_requests import WorkerState
from hysds.core.happenings import EVENT
from hysds.core.requests import MAX_BATCH
from hysds.ports.ledger import Pulse
from hysds.sdk.queues import Queues, QueueView

_WAIT_S = 1.0
_AT_ONCE = 100
_INDEXER = "indexer"


@dataclass(frozen=True, slots=True)
class Overview:
    """A system at one moment, as its ledger knows it."""

    at_ms: int
    """Wall ms of the ledger's server."""
    pulse: Pulse
    behind: int
    """Events that no indexer has done with."""
    queues: tuple[QueueView, ...]
    workers: tuple[WorkerState, ...]
    running: tuple[dict[str, Any], ...]
    """Documents of running jobs, the longest running first; at most as many as were asked for."""
    running_in_all: int
    """Jobs that workers hold."""


class Happenings(Queues):
    """The part of `Client` that knows workers' and events' documents, and the whole at a glance."""

    _system: System

    def events(self, query: ChronicleQuery | None = None) -> ChroniclePage:
        """Search documents of events, or of workers; they follow what happens by a moment."""
        return self._system.chronicle.search(query or ChronicleQuery(EVENT))

    def events_to_come(self, query: ChronicleQuery) -> Iterator[dict[str, Any]]:
        """The documents that will match, as they are told, from now on and without an end; before they are stored."""
        journal = self._system.journal
        position = journal.end()
        while True:
            for note in journal.follow(position, _AT_ONCE, _WAIT_S):
                position = note.position
                told = forms.document(note.happening)
                if chronicle_query.matches(query, told):
                    yield told

    def overview(self, most_jobs: int) -> Overview:
        """How the system stands now; of running jobs the documents of at most so many, at most 500.

        Raises: Unreachable
        """
        ledger = self._system.ledger
        workers = ledger.workers()
        held = sorted({id_ for worker in workers for id_, _ in worker.held})
        return Overview(
            at_ms=ledger.now_ms(),
            pulse=ledger.pulse(),
            behind=self._system.events.backlog(_INDEXER),
            queues=self.queues(),
            workers=workers,
            running=self._running(held, most_jobs),
            running_in_all=len(held),
        )

    def _running(self, held: list[str], most: int) -> tuple[dict[str, Any], ...]:
        """Ids begin with the time of their submission, so the longest running are among the first, but for those that
        waited long."""
        if most <= 0:
            return ()
        kept = self._system.ledger.kept(held[:MAX_BATCH])
        first = sorted(
            (one for one in kept if one is not None),
            key=lambda one: (one.record.started_ms, one.record.id),
        )
        return tuple(document(one.record, one.spec, one.attempts, one.error) for one in first[:most])
