"""The duty that finds and ends ghosts: documents of live jobs that the ledger does not know.

Now and then a walk goes over all documents that have not ended, the newest jobs first, a page at a time. Every step may
be repeated, by this indexer or others: an end is one revision above the very version that was judged, so whatever the
job became meanwhile stands above it. A ledger that knows such a job again (the lost one was put back) is told to raise
its record above the end, and its document follows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hysds.core import ghosts
from hysds.core.errors import Internal, Unreachable
from hysds.core.query import MAX_LIMIT, JobQuery, Span
from hysds.core.status import OFFLINE, FailureClass, Status
from hysds.indexer import projection
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.store import DeadLetter, Document, Page, Store, Writing, Written

_LOG = logging.getLogger("hysds.indexer")

_PAGE = 200
"""Documents of one look: some ms of the ledger's and the store's time."""
_PAUSE_S = 1.0
"""Between the pages of one walk: 10^5 live jobs take nine minutes."""
_KNOWN_AGAIN_MS = 86_400_000
"""A ledger that is put back within this time of the ends is found to know the jobs again."""

# One status a question: then every store has an index that answers it, whatever number of jobs has ended.
_SHOWN_LIVE = tuple(
    JobQuery(status=frozenset({status}), limit=_PAGE)
    for status in (Status.STARTED.value, OFFLINE, Status.QUEUED.value, Status.WAITING.value)
)
_ENDED_HERE = JobQuery(
    status=frozenset({Status.FAILED.value}),
    failure_class=frozenset({FailureClass.INTERNAL.value}),
    limit=_PAGE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What one look did."""

    looked: int = 0
    ended: int = 0
    known_again: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(
            self.looked + other.looked, self.ended + other.ended, self.known_again + other.known_again
        )


class Ghosts:
    """Walks over the store. One thread. `every_s`: between the end of a walk and the next one's start.

    `clock_s` counts seconds and never goes back. `archive` keeps the ends; Unreachable where it can't now.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        every_s: float,
        clock_s: Callable[[], float],
        archive: Callable[[Sequence[Document]], object] = len,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._every_s = every_s
        self._archive = archive
        self._clock_s = clock_s
        self._looks_at_s = 0.0
        self._question = 0
        self._cursor = ""

    def look(self) -> Found:
        """Go on with the walk, if it is time: about a page.

        Raises: Unreachable when ledger or store does not answer; the same page is looked at again then.
        """
        now_s = self._clock_s()
        if now_s < self._looks_at_s:
            return Found()
        found = Found()
        while found.looked < _PAGE and self._question <= len(_SHOWN_LIVE):
            found += self._page()
        is_over = self._question > len(_SHOWN_LIVE)
        if is_over:
            self._question = 0
        self._looks_at_s = now_s + (self._every_s if is_over else _PAUSE_S)
        return found

    def _page(self) -> Found:
        """The walk's next page: of what is shown as live, and at last of what was ended here."""
        now_ms = self._ledger.now_ms()
        if self._question < len(_SHOWN_LIVE):
            page = self._asked(_SHOWN_LIVE[self._question])
            found = Found(len(page.documents), ended=self._end(page.documents, now_ms))
        else:
            page = self._asked(replace(_ENDED_HERE, ended=Span(from_ms=now_ms - _KNOWN_AGAIN_MS)))
            again = self._raised([one for one in page.documents if ghosts.was(one)])
            found = Found(len(page.documents), known_again=again)
        self._cursor = page.cursor
        self._question += not page.cursor
        return found

    def _asked(self, query: JobQuery) -> Page:
        return self._store.search(replace(query, cursor=self._cursor))

    def _end(self, documents: Sequence[Mapping[str, Any]], now_ms: int) -> int:
        """How many of these were ended."""
        asked = [one for one in documents if ghosts.may_be(one, now_ms)]
        lost = [one for one, kept in self._kept(asked) if kept is None]
        if not lost:
            return 0
        reasons = {letter.id: letter.reason for letter in self._store.dead_letters(MAX_LIMIT)}
        ends = [ghosts.ended(one, now_ms, reasons.get(one["id"], "")) for one in lost]
        try:
            # Before they are written: an end that the store has is never looked at again.
            self._archive(ends)
        except Unreachable:
            return 0  # said already, and the next walk finds the same documents
        return self._written(ends, now_ms)

    def _written(self, ends: Sequence[Mapping[str, Any]], now_ms: int) -> int:
        """How many the store took; what it refuses is set aside, what is newer there stays."""
        answers = list(zip(ends, projection.written(ends, self._store), strict=True))
        refused = [_letter(end, answer, now_ms) for end, answer in answers if answer.how is Writing.REFUSED]
        if refused:
            self._store.set_aside(refused)
        written = [end for end, answer in answers if answer.how is Writing.WRITTEN]
        for end in written:
            _LOG.warning(
                "job %s is ended as %s: %s", end["id"], end["status"], end["error"],
                extra={"action": "ghost", "job_id": end["id"]},
            )  # fmt: skip
        return len(written)

    def _raised(self, ends: Sequence[Mapping[str, Any]]) -> int:
        """Raise records that the ledger has after all above these ends.

        It was put back. Or a job was accepted once more between question and write, under a clock that is behind, and
        reached the very revision of its end.
        """
        behind = [
            end
            for end, kept in self._kept(ends)
            if kept is not None and kept.record.revision <= end["revision"]
        ]
        for end in behind:
            self._ledger.touch(end["id"], end["revision"])
            _LOG.warning(
                "job %s was ended as unknown to the ledger, which knows it again", end["id"],
                extra={"action": "known_again", "job_id": end["id"]},
            )  # fmt: skip
        return len(behind)

    def _kept(
        self, documents: Sequence[Mapping[str, Any]]
    ) -> Sequence[tuple[Mapping[str, Any], Kept | None]]:
        """With what the ledger holds of each; one that it can't read is left out until its audit has set it aside."""
        if not documents:
            return ()
        try:
            return list(zip(documents, self._ledger.kept([one["id"] for one in documents]), strict=True))
        except Internal:
            if len(documents) == 1:
                return ()
            return [pair for one in documents for pair in self._kept([one])]


def _letter(end: Mapping[str, Any], answer: Written, now_ms: int) -> DeadLetter:
    _LOG.error(
        "job %s is unknown to the ledger, and can't be ended: %s", end["id"], answer.reason,
        extra={"action": "set_aside", "job_id": end["id"]},
    )  # fmt: skip
    return DeadLetter(end["id"], end["revision"], answer.reason, now_ms)
