"""The question that can be asked of a store of jobs, and exactly what its answer is.

`select` is the reference: over plain values, slowly. Every store gives the same ids in the same order, the
same total, the same cursor and the same counts. Conditions are joined by *and*, the values of one by *or*.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hysds.core import clip, words
from hysds.core.errors import Refused
from hysds.core.searched import MAX_TERM_LENGTH, TEXT_SORTS, Searched, Sort, Term
from hysds.core.where import Where

MAX_LIMIT = 10_000
"""Documents of one page."""

MAX_COUNTED = 100
"""Values of one facet: those with most jobs, at equal counts by code point."""

MAX_SEARCHED_WORDS = 32
"""Words of one text search."""

MAX_WHERE = 32
"""Conditions on params and context of one search."""

Counts = Mapping[Term, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time in ms since 1970: from the first, up to but without the second; None is no bound."""

    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def is_open(self) -> bool:
        return self.from_ms is None and self.to_ms is None

    @property
    def is_sound(self) -> bool:
        return all(bound is None or _is_sound(bound) for bound in (self.from_ms, self.to_ms))

    def holds(self, ms: int) -> bool:
        """Whether a time lies in it. 0, no time, lies only in a span without bounds."""
        if self.is_open:
            return True
        return ms > 0 and (self.from_ms or 0) <= ms and (self.to_ms is None or ms < self.to_ms)


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs, in which order, which page of them, and what to count. The default: all, newest first.

    Raises: Refused for a question that has no answer (an empty value, a text without words, a foreign
    cursor).
    """

    status: frozenset[str] = frozenset()
    """Any of these, as documents show them (`job-offline` included); empty: any status. So with the next
    ones."""
    type: frozenset[str] = frozenset()
    queue: frozenset[str] = frozenset()
    tag: frozenset[str] = frozenset()
    user: frozenset[str] = frozenset()
    worker: frozenset[str] = frozenset()
    failure_class: frozenset[str] = frozenset()
    parent: frozenset[str] = frozenset()
    accepted: Span = Span()
    ended: Span = Span()
    text: str = ""
    """All of its words must occur; `core.words` says what a word is. "": not asked."""
    where: tuple[Where, ...] = ()
    """What values inside params and context must be, all of these."""
    sort: Sort = Sort.ACCEPTED
    """At equal values by id, in the same direction."""
    descending: bool = True
    cursor: str = ""
    """Where the page before ended, as its answer said; "": from the first."""
    limit: int = 50
    """Documents of the page; 0 for totals and counts alone."""
    facets: tuple[Term, ...] = ()
    """Count all that match by each of these."""

    def __post_init__(self) -> None:
        for term, wanted in self.terms().items():
            if any(not 0 < len(value) <= MAX_TERM_LENGTH or not _is_sound(value) for value in wanted):
                raise Refused(f"a {term.value} to search for is a text of 1 to {MAX_TERM_LENGTH} characters")
        if not all(span.is_sound for span in (self.accepted, self.ended)):
            raise Refused("a time to search for lies beyond every calendar; give ms since 1970")
        if not 0 <= self.limit <= MAX_LIMIT:
            raise Refused(f"a page has 0 to {MAX_LIMIT} jobs, not {self.limit}; use the cursor for more")
        if self.text and not 0 < len(self.words()) <= MAX_SEARCHED_WORDS:
            raise Refused(
                f"the text {self.text[:80]!r} has {len(self.words())} words (runs of letters and digits); "
                f"a search has 1 to {MAX_SEARCHED_WORDS}"
            )
        if len(self.where) > MAX_WHERE:
            raise Refused(f"a search has at most {MAX_WHERE} conditions on params and context")
        self.after()

    def terms(self) -> dict[Term, frozenset[str]]:
        """The asked-for values by term; terms that are not asked for are left out."""
        return {term: wanted for term in Term if (wanted := getattr(self, term.value))}

    def words(self) -> tuple[str, ...]:
        """The words that must occur."""
        return words.distinct((self.text,))

    def after(self) -> tuple[int | str, str] | None:
        """The (sort value, id) of the last job before this page; None for the first page."""
        return _decoded(self.cursor, self) if self.cursor else None

    def cursor_at(self, value: int | str, id: str) -> str:
        """The cursor of the page that follows a job."""
        place = json.dumps([self.sort.value, self.descending, value, id], separators=(",", ":"))
        return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer in ids. `cursor` is "" where no job follows; `total` counts all that match, on whatever
    page."""

    ids: tuple[str, ...]
    cursor: str
    total: int
    counts: Counts


def matches(query: JobQuery, job: Searched) -> bool:
    """Whether a job is among those asked for, on whatever page."""
    return (
        all(job.term(term) in wanted for term, wanted in query.terms().items())
        and query.accepted.holds(job.accepted)
        and query.ended.holds(job.ended)
        and set(query.words()) <= set(job.words)
        and all(where.holds(job.leaves) for where in query.where)
    )


def select(query: JobQuery, jobs: Iterable[Searched]) -> Selection:
    """The answer over all jobs of a store."""
    found = [job for job in jobs if matches(query, job)]
    found.sort(key=lambda job: _place(query, job), reverse=query.descending)
    after = query.after()
    left = found if after is None else [job for job in found if _is_behind(query, job, after)]
    page = left[: query.limit]
    cursor = query.cursor_at(*_place(query, page[-1])) if page and len(left) > len(page) else ""
    counts = {term: _counted(job.term(term) for job in found) for term in query.facets}
    return Selection(tuple(job.id for job in page), cursor, len(found), counts)


def _place(query: JobQuery, job: Searched) -> tuple[int | str, str]:
    return job.sorted_by(query.sort), job.id


def _is_behind(query: JobQuery, job: Searched, after: tuple[int | str, str]) -> bool:
    here = _place(query, job)
    # One sort has values of one type, which the cursor was checked for.
    return here < after if query.descending else here > after


def _counted(values: Iterable[str]) -> tuple[tuple[str, int], ...]:
    counts = Counter(value for value in values if value)
    return tuple(sorted(counts.items(), key=lambda count: (-count[1], count[0]))[:MAX_COUNTED])


def _is_sound(value: int | str) -> bool:
    """Whether every store can compare with it: no half characters, no number that a double does not hold exactly."""
    return clip.encodable(value) == value if isinstance(value, str) else abs(value) <= 1 << 53


def _decoded(cursor: str, query: JobQuery) -> tuple[int | str, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        sort, descending, value, id_ = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused("this cursor is none that a search gave; start again without it") from error
    if sort != query.sort.value or descending is not query.descending:
        raise Refused("this cursor belongs to another order; sort as before, or start again without it")
    kinds_fit = isinstance(value, str if query.sort in TEXT_SORTS else int) and isinstance(id_, str)
    if not kinds_fit or not _is_sound(value) or not _is_sound(id_):
        raise Refused("this cursor is none that a search gave; start again without it")
    return value, id_
