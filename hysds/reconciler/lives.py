"""Worker life as a duty: whoever came, works on or is gone is told in the journal, once, however many reconcilers look.

What was told last of each worker stands in the journal's marks. A mark is turned and told in one step, so of two
reconcilers that see the same change one tells it; and one that starts anew knows what was told before it.
"""

from __future__ import annotations

import logging

from hysds.core import worker_life
from hysds.core.worker_life import OFFLINE, ONLINE, Rhythm, Turn
from hysds.ports.journal import Journal
from hysds.ports.ledger import Ledger

EVERY_S = 3.0
"""How often a reconciler looks."""
_LOG = logging.getLogger(__name__)


class Lives:
    """Call it every few seconds; it answers how much it told. Raises: Unreachable."""

    def __init__(self, ledger: Ledger, journal: Journal, rhythm: Rhythm) -> None:
        self._ledger = ledger
        self._journal = journal
        self._rhythm = rhythm

    def __call__(self) -> int:
        # The marks first: a worker that is told of meanwhile has another mark then, and is not told of twice.
        marks = self._journal.marks()
        workers = self._ledger.workers()
        due = worker_life.turns(workers, marks, self._ledger.now_ms(), self._rhythm)
        return sum(self._tell(turn) for turn in due)

    def _tell(self, turn: Turn) -> int:
        if not self._journal.turn(turn.mark, turn.before, turn.after, turn.happenings):
            return 0
        for one in turn.happenings[:1]:
            if one.status == ONLINE:
                _LOG.info("worker %s is there", one.id, extra={"action": ONLINE})
            elif one.status == OFFLINE:
                why = "is silent" if one.event.get("reason") == "silent" else "is gone"
                _LOG.warning("worker %s %s", one.id, why, extra={"action": OFFLINE})
        return len(turn.happenings)
