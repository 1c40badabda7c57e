"""Why a job stands where it stands that waits for others, or ended for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hysds.core import kin
from hysds.core.explanation.values import Coming, Reason, Terms, Why, part, text
from hysds.core.record import AFTER, GROUP, STAGED, Record
from hysds.core.status import ENDED, Status

_SHOWN = 5
Documents = Sequence[Mapping[str, Any]]


def waits(record: Record) -> bool:
    """Whether it waits for other jobs, and for no time."""
    return record.kind == GROUP or record.reason == AFTER


def waiting(record: Record, document: Mapping[str, Any], others: Documents, terms: Terms) -> Why:
    """Of a job that waits for the end of others, or of a group. `others`: those that it comes after."""
    if record.reason == AFTER:
        return _after(record, document, others)
    if record.reason == STAGED:
        sentence = "its members are still being handed in: none of them starts before all of them are there"
        left = Coming(f"it is revoked where nothing comes for {kin.STAGING_MS // 60_000} min")
        return Why(Reason.STAGED, sentence, ("see whether its submitter still runs",), (left,))
    asked = "; its cancel was asked" if record.cancel else ""
    advice = (f"see them: hysds jobs --parent {record.id}",)
    return Why(Reason.MEMBERS, f"it ends with its members{_sums(document)}{asked}", advice)


def ended(document: Mapping[str, Any]) -> Why | None:
    """Of a job that others ended; None of one that ended for a reason of its own."""
    reason = _ENDS.get(text(document, "failure_class"))
    if reason is None:
        return None
    moment = text(document, "job", "job_info", "time_end")
    at = f", at {moment}" if moment else ""
    what = "it failed" if document.get("status") == Status.FAILED.value else "it was revoked"
    return Why(reason, f"{what}{at}: {text(document, 'error')}", (text(document, "hint"),))


_ENDS = {
    "dependency": Reason.DEPENDENCY,
    "members": Reason.MEMBERS_FAILED,
    "aborted": Reason.ABORTED,
}


def _after(record: Record, document: Mapping[str, Any], others: Documents) -> Why:
    asked = len(part(document, "after", "jobs") or ())
    live = [one for one in others if one.get("status") not in ENDED]
    shown = [f"{text(one, 'id')} ({text(one, 'status')})" for one in live[:_SHOWN]]
    more = f" and {len(live) - _SHOWN} more" if len(live) > _SHOWN else ""
    named = f": {', '.join(shown)}{more}" if shown else ""
    how = "end" if record.after_finished else "complete"
    jobs = "a job" if asked == 1 else f"{record.after_left} of {asked} jobs"
    sentence = f"it waits for {jobs} to {how}{named}"
    advice = tuple(f"hysds explain {text(one, 'id')}" for one in live[:1])
    then = (
        "its members enter the ledger then"
        if record.kind == GROUP
        else f"it enters queue {record.queue} then"
    )
    fails = () if record.after_finished else (Coming("it is revoked where one of them does not complete"),)
    return Why(Reason.AFTER, sentence, advice, (Coming(then), *fails))


def _sums(document: Mapping[str, Any]) -> str:
    counts = part(document, "children") or {}
    said = [f"{counts[name]} {name}" for name in counts if name != "total" and counts[name]]
    return f": {', '.join(said)} of {counts.get('total')}" if said else ""
