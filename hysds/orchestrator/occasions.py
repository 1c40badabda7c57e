"""From entries of the streams to what rules look at: the documents of jobs that ended, and of happenings."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from hysds.core import cause, happenings
from hysds.core.document import document
from hysds.core.errors import Internal
from hysds.core.happenings import WORKER, Happening
from hysds.core.requests import MAX_BATCH, Event
from hysds.core.rules import telling
from hysds.core.rules.lineage import MAX_DEPTH, Occasion
from hysds.core.rules.rule import On
from hysds.core.spec import TASK
from hysds.core.status import ENDED
from hysds.orchestrator.past import Documents
from hysds.ports.ledger import Kept, Ledger

_log = logging.getLogger(__name__)
_NO_END = frozenset({"touch", "retry"})
"""Steps of a job that ended before."""

Document = Mapping[str, Any]


class Occasions:
    """`documents`: the store's, of jobs that the ledger has forgotten. Safe to share between threads."""

    def __init__(self, ledger: Ledger, documents: Documents) -> None:
        self._ledger = ledger
        self._documents = documents

    def of_events(self, events: Sequence[Event]) -> list[Occasion]:
        """The ends among these, in order; one of a job that nobody knows any more, or of which no document can be
        made, is left out.
        """
        ends = {one.id: one for one in events if one.status in ENDED and one.step not in _NO_END}
        found = self._found(list(ends))
        return [_of_job(found[id_], one.revision) for id_, one in ends.items() if id_ in found]

    def of_document(self, told: Document) -> Occasion:
        """The end that a stored document tells of, as if it were now."""
        return _of_job(told, int(told.get("revision", 0)))

    def retries(self, occasion: Occasion) -> int:
        """By how many retries the job is away from the one that has this cause; MAX_DEPTH at most."""
        count, told = 0, occasion.document
        while count < MAX_DEPTH and (before := told.get("retry_of")) and told.get("caused_by") != before:
            count += 1
            found = self._found([str(before)])
            if not found:
                break
            told = found[str(before)]
        return count

    def _found(self, ids: Sequence[str]) -> dict[str, Document]:
        found: dict[str, Document] = {}
        for start in range(0, len(ids), MAX_BATCH):
            part = ids[start : start + MAX_BATCH]
            kept = self._kept(part)
            forgotten = [id_ for id_ in part if id_ not in kept]
            found |= _built(kept)
            if forgotten:
                stored = zip(forgotten, self._documents(forgotten), strict=True)
                found |= {id_: told for id_, told in stored if told is not None}
        return found

    def _kept(self, ids: Sequence[str]) -> dict[str, Kept]:
        """What the ledger holds; one whose record it can't read is left out."""
        try:
            return {one.record.id: one for one in self._ledger.kept(ids) if one is not None}
        except Internal as error:
            if len(ids) == 1:
                _log.error(
                    "no rule looks at job %s: %s", ids[0], error, extra={"action": "rule", "job_id": ids[0]}
                )
                return {}
            return {key: one for id_ in ids for key, one in self._kept([id_]).items()}


def of_happening(one: Happening) -> Occasion:
    """Of an entry of the journal."""
    return of_told(happenings.document(one))


def of_told(told: Document) -> Occasion:
    """Of the document of a worker or an event. A worker has one document, and many happenings; an event is one."""
    is_worker = told.get("resource") == WORKER
    return Occasion(
        On.WORKER if is_worker else On.EVENT,
        str(told.get("id")),
        int(told.get("revision", 0)) if is_worker else 0,
        told,
        cause.of_document(told),
        is_of_rules=str(told.get("type", "")).startswith(telling.PREFIX),
    )


def _of_job(told: Document, revision: int) -> Occasion:
    on = On.TASK if told.get("resource") == TASK else On.JOB
    return Occasion(on, str(told.get("id")), revision, told, cause.of_document(told))


def _built(kept: Mapping[str, Kept]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for id_, one in kept.items():
        try:
            found[id_] = document(one.record, one.spec, one.attempts, one.error)
        except Exception as error:  # noqa: BLE001 - one job that breaks the rules must not hold up all others
            _log.error(
                "no rule looks at job %s: it has no document: %s",
                id_,
                error,
                extra={"action": "rule", "job_id": id_},
            )
    return found
