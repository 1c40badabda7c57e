"""Documents of ended jobs on their way into the archive: each is there before the ledger may forget its job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from hysds.core.errors import Unreachable
from hysds.core.status import ENDED
from hysds.indexer.projection import Built
from hysds.ports.archive import Archive
from hysds.ports.store import Document

_LOG = logging.getLogger("hysds.indexer")
ARCHIVE = "archive"
"""The part that is away, where it is."""
_SHUT_S = 5.0
"""One that did not answer is not asked again for so long: each question may take as long as its timeout."""


class Archiving:
    """One thread. `archive`: None where nobody keeps one. `clock_s` counts seconds and never goes back."""

    def __init__(self, archive: Archive | None, clock_s: Callable[[], float]) -> None:
        self._archive = archive
        self._clock_s = clock_s
        self._opens_at_s = 0.0
        self._why = ""

    @property
    def is_shut(self) -> bool:
        """Whether it did not answer just now."""
        return self._clock_s() < self._opens_at_s

    def append(self, documents: Sequence[Document]) -> int:
        """Keep these; how many were kept.

        Raises: Unreachable of the part `archive`
        """
        if self._archive is None or not documents:
            return 0
        if self.is_shut:
            raise Unreachable(ARCHIVE, self._why)
        try:
            self._archive.append(documents)
        except Unreachable as error:
            if not self._why:
                _LOG.warning("archiving waits: %s", error, extra={"action": "outage", "part": ARCHIVE})
            self._why = str(error.args[1])
            self._opens_at_s = self._clock_s() + _SHUT_S
            raise Unreachable(ARCHIVE, self._why) from error
        if self._why:
            self._why = ""
            _LOG.info("archiving goes on", extra={"action": "recovered", "part": ARCHIVE})
        return len(documents)


def ended(built: Built) -> list[Document]:
    """Documents of jobs that have ended. One that the ledger has as confirmed is in the archive at this revision."""
    return [document for one, document in built if one.record.status.is_terminal and not one.record.confirmed]


def ended_of(documents: Sequence[Document]) -> list[Document]:
    """The same, of documents alone."""
    return [one for one in documents if one.get("status") in ENDED]
