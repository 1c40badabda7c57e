"""What is done for the ledger's memory while the store is away: documents go to this host's spill, and come back later.

Nothing is spilled before the ledger has to keep much: an outage of minutes is caught up from the event stream alone.
Then everything that waits goes to the disk, is confirmed and done with; and again whenever as much has gathered. A
spilled document is written with its revision like any other, so it never replaces a newer one that another host wrote.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from hysds.core.errors import Unreachable
from hysds.indexer import projection
from hysds.indexer.archiving import Archiving, ended_of
from hysds.indexer.projection import Made, Projected
from hysds.ports.events import Events
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.spill import Held, Portion, Spill
from hysds.ports.store import DeadLetter, Document, Store

_LOG = logging.getLogger("hysds.indexer")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Above which the ledger keeps too much for a store that is away."""

    events: int = 100_000
    """Entries of the stream that are still to be done."""
    memory_percent: int = 50
    """Of the memory that the ledger's server may take; one without a limit is judged by its events alone."""


class Relief:
    """The way of documents over the spill. One thread, but for `held`."""

    def __init__(self, ledger: Ledger, spill: Spill, bounds: Bounds) -> None:
        self._ledger = ledger
        self._spill = spill
        self._bounds = bounds
        self._told = ""

    def is_due(self, events: Events, group: str, is_away: bool) -> bool:
        """Whether the ledger is to be relieved. Beside a store that answers, and is slow, only where both bounds are
        passed: catching up from the stream is no danger.

        Raises: Unreachable when the ledger does not answer.
        """
        is_long = events.backlog(group) >= self._bounds.events
        if is_long == is_away:
            return is_long
        pulse = self._ledger.pulse()
        limit = pulse.memory_limit_bytes
        return limit is not None and 100 * pulse.memory_bytes >= self._bounds.memory_percent * limit

    def keep(self, what: Made) -> Projected:
        """Spill what was made of jobs, and confirm the ended ones: their events are done with then.

        Raises: Full or Unreachable where nothing was kept, or the ledger does not answer.
        """
        portion = _portion(what.built, what.letters, self._ledger)
        if len(portion):
            self._spill.append(portion)
        confirmed = projection.confirmed(what.kept, self._ledger)
        return Projected(set_aside=len(portion.letters), confirmed=confirmed, spilled=len(portion))

    def drain(self, store: Store, archiving: Archiving, is_away: bool) -> Projected | None:
        """Bring the oldest portion into store and archive; None where there is none for this process, or it can't be
        read, or not be archived now. Of a store that was away one document tells whether it is back.

        Raises: Unreachable when ledger or store does not answer; the portion comes again then.
        """
        portion = None if archiving.is_shut else self._next()
        if portion is None:
            return None
        done, texts = Projected(), portion.documents
        for part in (texts[:1], texts[1:]) if is_away else (texts,):
            documents = [json.loads(text) for text in part]
            done += projection.keep(documents, (), self._ledger, store)[0]
            if not self._is_archived(documents, archiving):
                return None
        done += projection.keep((), portion.letters, self._ledger, store)[0]
        try:
            self._spill.done()
        except Unreachable as error:
            self.tell_of(error)
            return None
        return done

    def held(self) -> Held:
        """How much waits on this host. Raises: Unreachable"""
        return self._spill.held()

    def tell(self, done: Projected) -> None:
        """Log what was spilled, if anything was."""
        if done.spilled:
            _LOG.warning(
                "%d documents went to this host's disk, as the store is away or slow and the ledger must not fill up; "
                "of jobs that ended they are nowhere else once the ledger forgets them: keep an indexer here until "
                "they are in the store", done.spilled, extra={"action": "spilled"},
            )  # fmt: skip
            self._told = ""

    def tell_of(self, error: Exception) -> None:
        """Log what keeps documents from the disk, or there; once until something goes there again."""
        text = str(error)
        if text != self._told:
            _LOG.error("documents are held up, none is lost: %s", text, extra={"action": "spill_refused"})
        self._told = text

    def _is_archived(self, documents: Sequence[Document], archiving: Archiving) -> bool:
        """Search must not stand still with the archive: what it has no room for now stays in the spill."""
        try:
            archiving.append(ended_of(documents))
        except Unreachable:
            return False
        return True

    def _next(self) -> Portion | None:
        try:
            return self._spill.oldest()
        except Unreachable as error:
            self.tell_of(error)
            return None


def _portion(
    built: Sequence[tuple[Kept, Document]], letters: Sequence[DeadLetter], ledger: Ledger
) -> Portion:
    """As texts; what has none gets a letter, as it would from a store."""
    texts, aside = [], list(letters)
    for one, document in built:
        try:
            texts.append(json.dumps(document, separators=(",", ":"), allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            reason = f"it is not JSON: {error}"
            aside.append(projection.letter(one.record.id, one.record.revision, reason, ledger))
    return Portion(tuple(texts), tuple(aside))
