"""What an operator may do to many jobs at once: to which of them by default, and what each answer means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hysds.core.record import GROUP
from hysds.core.status import LIVE, OFFLINE, TERMINAL, Status


class Verb(StrEnum):
    """What is done."""

    CANCEL = "cancel"
    RETRY = "retry"
    PURGE = "purge"
    REQUEUE = "requeue"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of one answer, for people. `is_change`: the job is not as it was."""

    text: str
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of one job. `detail`: the job that does it again, or why it was refused; "" of all else."""

    id: str
    answer: str
    detail: str = ""


_UNCLAIMED = frozenset({Status.QUEUED.value, Status.WAITING.value})

CANDIDATES: Mapping[Verb, frozenset[str]] = {
    Verb.CANCEL: frozenset(status.value for status in LIVE) | {OFFLINE},
    Verb.RETRY: frozenset({Status.FAILED.value, Status.REVOKED.value}),
    Verb.PURGE: frozenset(status.value for status in TERMINAL),
    Verb.REQUEUE: _UNCLAIMED,
    Verb.PRIORITY: _UNCLAIMED,
}
"""Which statuses a query means that names none."""

_MISSING = Meaning("no such job")
_DAMAGED = Meaning("its record is unreadable: a reconciler's audit sets it aside")
_ENDED = Meaning("had ended before")
UNMATCHED = "unmatched"
"""Jobs that were counted, and whose documents had changed when their turn came."""
_AMENDED: Mapping[str, Meaning] = {
    "changed": Meaning("changed", is_change=True),
    "same": Meaning("stood so already"),
    Status.STARTED.value: Meaning("had started, so it was left"),
    "ended": Meaning("had ended, so it was left"),
    GROUP: Meaning("is a group: name its members"),
    "missing": _MISSING,
    "damaged": _DAMAGED,
}

MEANINGS: Mapping[Verb, Mapping[str, Meaning]] = {
    Verb.CANCEL: {
        Status.REVOKED.value: Meaning("revoked", is_change=True),
        Status.STARTED.value: Meaning("its worker was told to stop it", is_change=True),
        Status.WAITING.value: Meaning(
            "a group: its members are being ended, and it ends with them", is_change=True
        ),
        "ended": _ENDED,
        "missing": _MISSING,
        "damaged": _DAMAGED,
    },
    Verb.RETRY: {
        "retried": Meaning("done again as a new job", is_change=True),
        "matched": Meaning("another job does that work already"),
        "before": Meaning("had been retried before"),
        "refused": Meaning("refused"),
    },
    Verb.PURGE: {
        "purged": Meaning("purged", is_change=True),
        "cleared": Meaning("had no record any more; its document went", is_change=True),
        "live": Meaning("has not ended, so it was left"),
        "unwritten": Meaning("its end is not in the store yet: try again"),
        "awaited": Meaning("others wait for its end, which has not reached all of them: try again"),
        "ghost": Meaning("the ledger does not know it and the store shows it as live: the indexer ends it"),
        "missing": _MISSING,
        "damaged": _DAMAGED,
    },
    Verb.REQUEUE: _AMENDED,
    Verb.PRIORITY: _AMENDED,
}
"""All that can become of a job, by the word that machines read."""


def amended(answer: str) -> str:
    """The word for what an amendment answered: a status it leads to, or why not."""
    if answer in _UNCLAIMED:
        return "changed"
    is_end = any(answer == status.value for status in TERMINAL)
    return "ended" if is_end else answer


def meaning(verb: Verb, answer: str) -> Meaning:
    """What an answer means; of a later version's own, the word itself."""
    if answer == UNMATCHED:
        return Meaning("no longer matched when their turn came")
    return MEANINGS[verb].get(answer, Meaning(answer))
