"""Why a job stands where it stands and what happens next: one pure function over what was seen of it.

`values` has the values, `queueing`, `throttled`, `kin`, `running` and `endings` the reasons by where the job stands,
`takers` what each worker lacks, `decisive_lines` what of its output says why it failed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hysds.core import ids, moments
from hysds.core.explanation import endings, kin, queueing, running, throttled
from hysds.core.explanation.values import Explanation, Reason, Seen, Terms, Why, entries, span, text
from hysds.core.status import ENDED, Status
from hysds.core.throttle_values import waits_in_line

_LINKS = ("parent", "retry_of", "retried_by", "dedup_job", "schedule", "schedule_time")


def explain(seen: Seen, terms: Terms) -> Explanation:
    """The explanation of a job in whatever state, also of one that nobody knows."""
    document, record = seen.document, seen.record
    if document is None:
        return Explanation(seen.id, "", _unknown(seen.id, terms))
    status = text(document, "status")
    whole = Explanation(
        id=seen.id,
        status=status,
        why=Why(Reason.UNKNOWN, ""),
        queue=text(document, "queue"),
        attempts=tuple(one for one in entries(document) if one.get("ended")),
        links={name: other for name in _LINKS if (other := text(document, name))},
    )
    if status in ENDED:
        why = kin.ended(document) or endings.ended(seen, document)
        failure, lines = endings.failure(document), endings.lines(document)
        return replace(whole, why=why, failure=failure, decisive=lines)
    if record is None:
        return replace(whole, why=endings.forgotten(seen, document, terms))
    if record.status is Status.QUEUED:
        takers = queueing.takers(record, seen.workers)
        why = queueing.queued(record, seen.place, takers, terms)
        return replace(whole, why=why, place=seen.place, takers=takers)
    if record.status is Status.WAITING and kin.waits(record):
        return replace(whole, why=kin.waiting(record, document, seen.others, terms))
    if waits_in_line(record):
        return replace(whole, why=throttled.waiting(record, seen.limit, terms))
    if record.status is Status.WAITING:
        return replace(whole, why=queueing.waiting(record, document, terms))
    return replace(whole, why=running.started(seen, record, document, terms))


def as_document(explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON holds it; what is empty is left out. Times are ISO 8601 in UTC."""
    why, place = explanation.why, explanation.place
    values: dict[str, Any] = {
        "id": explanation.id,
        "status": explanation.status,
        "reason": why.reason.value,
        "sentence": why.sentence,
        "queue": explanation.queue,
        "place": None
        if place is None
        else {"ahead": place.ahead, "ready": place.ready, "paused": place.paused},
        "workers": [
            {
                "name": one.name,
                "host": one.host,
                "incarnation": one.incarnation,
                "takes": one.takes,
                "lacks": [{"what": missing.lack.value, "text": missing.text} for missing in one.missing],
            }
            for one in explanation.takers
        ],
        "next": [
            {"what": coming.what} | ({"at": moments.iso(coming.at_ms)} if coming.at_ms else {})
            for coming in why.coming
        ],
        "failure": explanation.failure,
        "sign": explanation.decisive.sign.value if explanation.decisive.sign else None,
        "lines": [{"stream": line.stream, "text": line.text} for line in explanation.decisive.lines],
        "attempts": explanation.attempts,
        "links": explanation.links,
        "advice": why.advice,
    }
    return {name: value for name, value in values.items() if value not in (None, "", (), [], {})}


def _unknown(id_: str, terms: Terms) -> Why:
    made_ms = ids.made_ms(ids.JobId(id_))
    kept = (
        f"records of ended jobs stay {span(terms.retention_ms)} in the ledger, their documents until somebody purges "
        "them"
    )
    if made_ms is None or made_ms > terms.now_ms + terms.lease_ms:
        born = ""
    else:
        born = f"; the id was made {terms.ago(made_ms)} ago, so it may belong to another system, or was never submitted"
    return Why(
        Reason.UNKNOWN,
        f"neither the ledger nor the store knows a job of this id{born}; {kept}",
        ("hysds config show --origin says which system is asked",),
    )
