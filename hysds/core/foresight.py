"""What each act would do to a job as it stands now: for a run that changes nothing."""

from __future__ import annotations

from hysds.core import repetition
from hysds.core.control import Handled, Verb
from hysds.core.errors import HysdsError
from hysds.core.record import GROUP, Record
from hysds.core.repetition import Changes
from hysds.core.status import Status


def foreseen(verb: Verb, record: Record, spec: str, changes: Changes) -> Handled:
    """For a job that the ledger knows. `spec`: as it is stored."""
    if verb is Verb.CANCEL:
        return Handled(record.id, _cancel(record))
    if verb is Verb.RETRY:
        return _retry(record, spec, changes)
    if verb is Verb.PURGE:
        return Handled(record.id, _purge(record))
    return Handled(record.id, _amend(record, changes))


def _cancel(record: Record) -> str:
    if record.status.is_terminal:
        return "ended"
    if record.kind == GROUP:
        # It may end in that very step; its sums are up to a second old, and can't tell.
        return Status.WAITING.value
    return Status.STARTED.value if record.status is Status.STARTED else Status.REVOKED.value


def _retry(record: Record, spec: str, changes: Changes) -> Handled:
    if record.retried_by:
        return Handled(record.id, "before", record.retried_by)
    try:
        repetition.of_record(record, spec, changes)
    except HysdsError as refusal:
        return Handled(record.id, "refused", str(refusal))
    return Handled(record.id, "retried")


def _purge(record: Record) -> str:
    if not record.status.is_terminal:
        return "live"
    return "purged" if record.confirmed else "unwritten"


def _amend(record: Record, changes: Changes) -> str:
    if record.status.is_terminal:
        return "ended"
    if record.status is Status.STARTED:
        return Status.STARTED.value
    if record.kind == GROUP:
        return GROUP
    is_same = (changes.queue or record.queue) == record.queue and (
        record.priority if changes.priority is None else changes.priority
    ) == record.priority
    return "same" if is_same else "changed"
