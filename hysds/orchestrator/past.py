"""Jobs that others come after and that the ledger has forgotten: the store knows how they ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hysds.core.errors import Refused
from hysds.core.record import Record
from hysds.core.requests import FINISHED, Acceptance
from hysds.core.status import Status
from hysds.ports.ledger import Ledger

Documents = Callable[[Sequence[str]], Sequence[Mapping[str, Any] | None]]
"""The store's documents of these ids, in order; None for one that it does not know."""


def nothing_stored(wanted: Sequence[str]) -> Sequence[None]:
    """A store that knows no job."""
    return [None] * len(wanted)


@dataclass(frozen=True, slots=True)
class Past:
    """Says of each submission that comes after others what the ledger can't know."""

    ledger: Ledger
    documents: Documents

    def settled(self, batch: Sequence[Acceptance]) -> tuple[list[Acceptance], dict[str, Refused]]:
        """The submissions without those forgotten jobs that ended as they must, `doomed` by one that did not; and by
        id, why some can't be taken: they come after a job that nobody knows.
        """
        if not any(item.after for item in batch):
            return list(batch), {}
        forgotten = self._forgotten(batch)
        refused: dict[str, Refused] = {}
        items = []
        for item in batch:
            unknown = next((id for id in item.after if id in forgotten and forgotten[id] is None), None)
            if unknown is not None:
                refused[item.id] = unknown_dependency(item.id, unknown)
            items.append(_settled(item, forgotten))
        return items, refused

    def _forgotten(self, batch: Sequence[Acceptance]) -> dict[str, str | None]:
        """By id, how the jobs ended that the ledger knows no more; None: nobody knows."""
        handed_in: set[str] = set()
        wanted: dict[str, None] = {}
        for item in batch:
            wanted |= {id: None for id in item.after if id not in handed_in}
            handed_in.add(item.id)
        kept = dict(zip(wanted, self.ledger.kept(list(wanted)), strict=True))
        duplicates = {id: known.record for id, known in kept.items() if known and known.record.dedup_job}
        ends = self._ends([id for id, known in kept.items() if known is None])
        twins = {id: end for id, end in ends.items() if end is not None and end not in _ENDS}
        purged = self._purged_twins(duplicates)
        ended = self._ends([*twins.values(), *purged.values()])
        # A duplicate stands for its twin; the key of one that is forgotten stood for a completed job.
        old = {id: ended[twin] or Status.COMPLETED.value for id, twin in twins.items()}
        return ends | old | {id: ended[twin] for id, twin in purged.items()}

    def _purged_twins(self, duplicates: Mapping[str, Record]) -> dict[str, str]:
        """By the id of a duplicate, the id of its twin, where the ledger knows the duplicate alone and the twin had not
        completed when it became one.
        """
        twins = [one.dedup_job for one in duplicates.values()]
        known = self.ledger.kept(twins) if twins else ()
        return {
            id: one.dedup_job
            for (id, one), twin in zip(duplicates.items(), known, strict=True)
            if twin is None and one.dedup_status != Status.COMPLETED.value
        }

    def _ends(self, wanted: Sequence[str]) -> dict[str, str | None]:
        """By id, the status that a job ended in, the id of its twin for a duplicate, None where that is not known."""
        documents = self.documents(wanted) if wanted else ()
        return {id: _end(document) for id, document in zip(wanted, documents, strict=True)}


def unknown_dependency(id_: str, dependency: str) -> Refused:
    """Why a job is not taken that comes after one which nobody knows."""
    return Refused(
        f"job {id_}: it comes after job {dependency}, which neither the ledger nor the store knows: it was never "
        "submitted, or purged; submit it first, or leave it out of after.jobs"
    )


def _settled(item: Acceptance, forgotten: Mapping[str, str | None]) -> Acceptance:
    if not any(id in forgotten for id in item.after):
        return item
    failed = [
        id
        for id in item.after
        if forgotten.get(id) not in (None, Status.COMPLETED.value) and item.after_on != FINISHED
    ]
    left = tuple(id for id in item.after if id not in forgotten)
    return replace(item, after=left, doomed=failed[0] if failed else "")


_ENDS = frozenset({Status.COMPLETED.value, Status.FAILED.value, Status.REVOKED.value})


def _end(document: Mapping[str, Any] | None) -> str | None:
    if document is None:
        return None
    status = document.get("status")
    if status == Status.DEDUPED.value:
        return str(document.get("dedup_job") or "") or None
    return str(status) if status in _ENDS else None
