"""The question that can be asked about workers and events, and exactly what its answer is.

`select` is the reference: every chronicle gives the same documents in the same order, the same total and cursor.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hysds.core import clip, happenings
from hysds.core.errors import Refused
from hysds.core.happenings import MAX_NAME, WORKER

MAX_LIMIT = 10_000
"""Documents of one page."""

_LARGEST = 1 << 53
MANY = "*"
"""The end of a type that stands for all types which begin so."""


@dataclass(frozen=True, slots=True)
class ChronicleQuery:
    """Which documents of a resource: newest first, at equal times the larger id first.

    Raises: Refused for a question that has no answer.
    """

    resource: str
    """WORKER or EVENT."""
    types: tuple[str, ...] = ()
    """Any of these; one that ends in `*` stands for all that begin so. Empty: any type."""
    hostname: str = ""
    """Exactly this worker's or host's name; "": any."""
    since_ms: int | None = None
    """From this wall time on; None: from the first."""
    until_ms: int | None = None
    """Up to but without this time; None: to the last."""
    limit: int = 50
    """Documents of the page; 0 for the total alone."""
    cursor: str = ""
    """Where the page before ended, as its answer said; "": from the newest."""

    def __post_init__(self) -> None:
        if self.resource not in happenings.RESOURCES:
            raise Refused(
                f"{self.resource[:80]!r} is no resource: ask for {' or '.join(happenings.RESOURCES)}"
            )
        for text in (*self.types, *((self.hostname,) if self.hostname else ())):
            if not 0 < len(text) <= MAX_NAME or clip.encodable(text) != text:
                raise Refused(f"a type or host name to search for is a text of 1 to {MAX_NAME} characters")
        for bound in (self.since_ms, self.until_ms):
            if bound is not None and abs(bound) > _LARGEST:
                raise Refused("a time to search for lies beyond every calendar; give ms since 1970")
        if not 0 <= self.limit <= MAX_LIMIT:
            raise Refused(f"a page has 0 to {MAX_LIMIT} documents, not {self.limit}; use the cursor for more")
        self.after()

    @property
    def exact_types(self) -> tuple[str, ...]:
        """Types that must be met as a whole."""
        return tuple(type_ for type_ in self.types if not type_.endswith(MANY))

    @property
    def type_prefixes(self) -> tuple[str, ...]:
        """How types may begin."""
        return tuple(type_[:-1] for type_ in self.types if type_.endswith(MANY))

    def after(self) -> tuple[int, str] | None:
        """(time in ms, id) of the last document before this page; None for the first page."""
        if not self.cursor:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            at_ms, id_ = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, TypeError, RecursionError) as error:
            raise Refused("this cursor is none that a search gave; start again without it") from error
        if type(at_ms) is not int or abs(at_ms) > _LARGEST or not isinstance(id_, str):
            raise Refused("this cursor is none that a search gave; start again without it")
        if clip.encodable(id_) != id_:
            raise Refused("this cursor is none that a search gave; start again without it")
        return at_ms, id_


def cursor_at(at_ms: int, id: str) -> str:
    """The cursor of the page that follows a document."""
    place = json.dumps([at_ms, id], separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def hostname(document: Mapping[str, Any]) -> str:
    """What a document is found by as its host: the worker's name, or where the event happened."""
    value = document.get("celery_hostname" if document.get("resource") == WORKER else "hostname")
    return value if isinstance(value, str) else ""


def objection(document: Mapping[str, Any]) -> str:
    """Why no chronicle takes this document; "" where each does."""
    id_, revision = document.get("id"), document.get("revision")
    if document.get("resource") not in happenings.RESOURCES:
        return f"{str(document.get('resource'))[:80]!r} is no resource of a chronicle"
    if not isinstance(id_, str) or not 0 < len(id_) <= MAX_NAME or not id_.isprintable():
        return f"{str(id_)[:80]!r} is no id of a document"
    if type(revision) is not int or not 0 < revision <= _LARGEST:
        return f"document {id_}: the revision {str(revision)[:80]} is no number from 1 to 2^53"
    try:
        json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return f"document {id_} is not JSON: {error}"
    return ""


def matches(query: ChronicleQuery, document: Mapping[str, Any]) -> bool:
    """Whether a document is among those asked for, on whatever page."""
    type_, at_ms = str(document.get("type", "")), document["revision"]
    return (
        document.get("resource") == query.resource
        and (not query.types or type_ in query.exact_types or type_.startswith(query.type_prefixes))
        and query.hostname in ("", hostname(document))
        and (query.since_ms is None or at_ms >= query.since_ms)
        and (query.until_ms is None or at_ms < query.until_ms)
    )


@dataclass(frozen=True, slots=True)
class ChroniclePage:
    """The answer. `cursor` is "" on the last page; `total` is over all pages."""

    documents: tuple[dict[str, Any], ...]
    cursor: str
    total: int


def select(query: ChronicleQuery, documents: Iterable[dict[str, Any]]) -> ChroniclePage:
    """The answer over all documents of a chronicle."""
    found = sorted((one for one in documents if matches(query, one)), key=_place, reverse=True)
    after = query.after()
    left = found if after is None else [one for one in found if _place(one) < after]
    page = tuple(left[: query.limit])
    cursor = cursor_at(*_place(page[-1])) if page and len(left) > len(page) else ""
    return ChroniclePage(page, cursor, len(found))


def _place(document: Mapping[str, Any]) -> tuple[int, str]:
    return document["revision"], document["id"]
