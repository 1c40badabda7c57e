"""What a document is searched and sorted by, and the form in which stores keep it.

One table says where in the document each of these values lies; a store compiles its own from it. A value
that is missing or of another type is "" or 0: no term finds it, and it sorts as the smallest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hysds.core import clip, moments, words
from hysds.core.errors import Refused
from hysds.core.leaves import leaves

MAX_TERM_LENGTH = 1_024
"""Characters of a value that is searched as a whole; a longer one is found by so many of its first."""

MAX_DOCUMENT_BYTES = 16_000_000
"""A larger document is refused by every store."""


class Term(StrEnum):
    """What a job can be found and counted by, as a whole and exactly."""

    STATUS = "status"
    TYPE = "type"
    QUEUE = "queue"
    TAG = "tag"
    USER = "user"
    WORKER = "worker"
    FAILURE_CLASS = "failure_class"
    PARENT = "parent"
    """The group that it is a member of."""


TERM_PATHS: Mapping[Term, tuple[str, ...]] = {
    Term.STATUS: ("status",),
    Term.TYPE: ("type",),
    Term.QUEUE: ("job", "job_info", "job_queue"),
    Term.TAG: ("job", "tag"),
    Term.USER: ("job", "username"),
    Term.WORKER: ("celery_hostname",),
    Term.FAILURE_CLASS: ("failure_class",),
    Term.PARENT: ("parent",),
}


class Sort(StrEnum):
    """What jobs can be sorted by: times, numbers, then texts (by code point)."""

    ACCEPTED = "accepted"
    STARTED = "started"
    ENDED = "ended"
    UPDATED = "updated"
    DURATION = "duration"
    PRIORITY = "priority"
    NAME = "name"
    STATUS = "status"
    TYPE = "type"
    QUEUE = "queue"
    USER = "user"


SORT_PATHS: Mapping[Sort, tuple[str, ...]] = {
    Sort.ACCEPTED: ("job", "job_info", "time_queued"),
    Sort.STARTED: ("job", "job_info", "time_start"),
    Sort.ENDED: ("job", "job_info", "time_end"),
    Sort.UPDATED: ("@timestamp",),
    Sort.DURATION: ("job", "job_info", "duration"),
    Sort.PRIORITY: ("job", "priority"),
    Sort.NAME: ("job", "name"),
    Sort.STATUS: TERM_PATHS[Term.STATUS],
    Sort.TYPE: TERM_PATHS[Term.TYPE],
    Sort.QUEUE: TERM_PATHS[Term.QUEUE],
    Sort.USER: TERM_PATHS[Term.USER],
}

_OTHER_PATHS = {sort: path for sort, path in SORT_PATHS.items() if path not in TERM_PATHS.values()}
_LARGEST = 1e12

TEXT_SORTS = frozenset({Sort.NAME, Sort.STATUS, Sort.TYPE, Sort.QUEUE, Sort.USER})

_TEXT_PATHS = (
    ("job", "name"),
    ("type",),
    ("job", "tag"),
    ("job", "username"),
    ("tags",),
    ("short_error",),
    ("error",),
    ("hint",),
    ("msg",),
    ("msg_details",),
    ("job", "params"),
)
"""What full text looks at, in this order; of lists and objects every string inside (values, not keys)."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The searched values of one document. Times are ms since 1970."""

    id: str
    status: str
    type: str
    queue: str
    tag: str
    user: str
    worker: str
    failure_class: str
    parent: str
    name: str
    priority: int
    accepted: int
    started: int
    ended: int
    updated: int
    duration: int
    """Ms, a whole number."""
    words: tuple[str, ...]
    leaves: tuple[tuple[str, str], ...] = ()
    """The (path, text) of values inside params and context."""

    def term(self, term: Term) -> str:
        value: str = getattr(self, term.value)
        return value

    def sorted_by(self, sort: Sort) -> int | str:
        value: int | str = getattr(self, sort.value)
        return value


@dataclass(frozen=True, slots=True)
class Sealed:
    """A document as stores keep it: never changed again, its JSON made once."""

    id: str
    revision: int
    body: str
    searched: Searched


def seal(document: Mapping[str, Any]) -> Sealed:
    """The document in the form in which stores keep it.

    Raises: Refused, with the reason, for a document that no store takes.
    """
    id_, revision = document.get("id"), document.get("revision")
    if not isinstance(id_, str) or not 0 < len(id_) <= MAX_TERM_LENGTH or not id_.isprintable():
        raise Refused(f"{str(id_)[:80]!r} is no id of a document")
    if not isinstance(revision, int) or isinstance(revision, bool) or not 0 < revision < 1 << 63:
        raise Refused(f"document {id_}: the revision {str(revision)[:80]} is no number from 1 to 2^63 - 1")
    try:
        body = json.dumps(document, separators=(",", ":"), allow_nan=False)
        values = searched(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"document {id_} is not JSON: {error}") from error
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Refused(f"document {id_} has {len(body)} bytes, more than {MAX_DOCUMENT_BYTES}")
    return Sealed(id_, revision, body, values)


def searched(document: Mapping[str, Any]) -> Searched:
    """The searched values of a document."""
    term = {term: _whole(_at(document, path)) for term, path in TERM_PATHS.items()}
    sort = {sort: _at(document, path) for sort, path in _OTHER_PATHS.items()}
    return Searched(
        id=str(document.get("id", "")),
        status=term[Term.STATUS],
        type=term[Term.TYPE],
        queue=term[Term.QUEUE],
        tag=term[Term.TAG],
        user=term[Term.USER],
        worker=term[Term.WORKER],
        failure_class=term[Term.FAILURE_CLASS],
        parent=term[Term.PARENT],
        name=_whole(sort[Sort.NAME]),
        priority=round(_number(sort[Sort.PRIORITY])),
        accepted=moments.ms_of(sort[Sort.ACCEPTED]),
        started=moments.ms_of(sort[Sort.STARTED]),
        ended=moments.ms_of(sort[Sort.ENDED]),
        updated=moments.ms_of(sort[Sort.UPDATED]),
        duration=round(_number(sort[Sort.DURATION]) * 1000),
        words=words.distinct(_texts(document)),
        leaves=leaves(document),
    )


def _at(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = document
    for key in path:
        # dict, not Mapping: what is not one has no JSON either, and the abstract check costs five times as much.
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _whole(value: Any) -> str:
    return clip.encodable(value[:MAX_TERM_LENGTH]) if isinstance(value, str) else ""


def _number(value: Any) -> float:
    """A number that every store sorts exactly; 0 for any other."""
    return value if type(value) in (int, float) and abs(value) < _LARGEST else 0


def _texts(document: Mapping[str, Any]) -> list[str]:
    """Every string in the searched texts in order, found without recursion: a payload may be nested deeply."""
    found: list[str] = []
    left = [_at(document, path) for path in reversed(_TEXT_PATHS)]
    while left:
        value = left.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            left.extend(reversed(value.values()))
        elif isinstance(value, list | tuple):
            left.extend(reversed(value))
    return found
