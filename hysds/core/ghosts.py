"""Documents of live jobs that no ledger knows: how such a document ends.

A job that only a lost ledger knew (an undone failover, a backup put back, a server without an append-only file) never
moves again. Its document is all that is left of it, so its end is made from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hysds.core import clip, moments
from hysds.core.attempts import without_blanks
from hysds.core.status import LIVE, OFFLINE, FailureClass, Status

ERROR = (
    "the ledger does not know this job any more: it was accepted by one that was lost "
    "(failover, restore, or a server without an append-only file)"
)

GRACE_MS = 30_000
"""A document written within this time is left alone: who is still connected to the primary before must not judge what
the next one accepted. One further in the *future* is not: a lost primary's clock may have been ahead."""

_LIVE = frozenset(status.value for status in LIVE) | {OFFLINE}
_OF_THE_LIVE = ("phase", "progress", "waiting_reason", "not_before", "ttl_end", "cancel_requested")


def may_be(document: Mapping[str, Any], now_ms: int) -> bool:
    """Whether to ask the ledger for it: a job that has not ended, and was not written just now. `now_ms`: the
    ledger's."""
    return (
        document.get("status") in _LIVE
        and type(document.get("revision")) is int
        and abs(now_ms - moments.ms_of(document.get("@timestamp"))) >= GRACE_MS
    )


def ended(document: Mapping[str, Any], now_ms: int, unwritten: str = "") -> dict[str, Any]:
    """The document's end, one revision on, so that it replaces no other version than this one.

    Failed, or revoked where that was asked for. `unwritten`: why the job's last document could not be written, where
    that is known: then the ledger was not lost, it has forgotten an ended job.
    """
    is_cancelled = document.get("cancel_requested") is True
    error = _unwritten(unwritten) if unwritten else ERROR
    end = {
        "status": (Status.REVOKED if is_cancelled else Status.FAILED).value,
        "revision": document["revision"] + 1,
        "@timestamp": moments.iso(now_ms),
        "failure_class": (FailureClass.CANCELLED if is_cancelled else FailureClass.INTERNAL).value,
        "error": error,
        "short_error": clip.short(error),
        "hint": f"if its results are missing: hysds retry {document.get('id')}, or submit it again under the same id",
        "job": _job(document.get("job"), now_ms),
        "attempts": _attempts(document, now_ms, is_cancelled),
    }
    left = {name: value for name, value in document.items() if name not in _OF_THE_LIVE}
    return without_blanks({**left, **end})


def was(document: Mapping[str, Any]) -> bool:
    """Whether this document ended as one that the ledger did not know, and failed."""
    return document.get("status") == Status.FAILED.value and document.get("error") == ERROR


def _unwritten(why: str) -> str:
    return clip.clipped(
        f"how it ended is not known: its last document could not be written ({why}), and the ledger has forgotten it",
        clip.MAX_ERROR,
    )


def _job(job: object, now_ms: int) -> object:
    if not isinstance(job, dict):
        return job
    info = job.get("job_info")
    ended_info = {**(info if isinstance(info, dict) else {}), "time_end": moments.iso(now_ms)}
    return {**job, "job_info": ended_info}


def _attempts(document: Mapping[str, Any], now_ms: int, is_cancelled: bool) -> object:
    """The list, with the running attempt closed: nobody will tell how it went."""
    listed = document.get("attempts")
    if not isinstance(listed, list) or not listed:
        return listed
    last = listed[-1]
    if not isinstance(last, dict) or "ended" in last:
        return listed
    how = Status.REVOKED.value if is_cancelled else FailureClass.INTERNAL.value
    closed = {
        **last,
        "ended": moments.iso(now_ms),
        "how": how,
        "failure": None if is_cancelled else how,
        "phase": document.get("phase"),
        "notes": [
            "how it went is not known: the time of its end is when the ledger was found not to know the job"
        ],
    }
    return [*listed[:-1], without_blanks(closed)]
