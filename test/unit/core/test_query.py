"""The question and its reference answer. What all stores share is in test/contract/store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hysds.core.errors import Refused
from hysds.core.query import MAX_LIMIT, JobQuery, Span, matches, select
from hysds.core.searched import Searched, Sort, Term, searched

_JOB = searched({"id": "a", "status": "job-queued", "type": "job:count", "error": "out of memory"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": -1},
        {"limit": MAX_LIMIT + 1},
        {"status": frozenset({""})},
        {"tag": frozenset({"x" * 1025})},
        {"tag": frozenset({"\ud800"})},
        {"accepted": Span(from_ms=2**70)},
        {"text": "***"},
        {"text": " ".join(f"w{n}" for n in range(33))},
        {"cursor": "nonsense"},
        {"cursor": "W10"},
        {"cursor": "ä"},
    ],
    ids=str,
)
def test_a_question_without_an_answer_is_refused(wrong: dict[str, Any]) -> None:
    """At once, not by an empty page."""
    with pytest.raises(Refused):
        JobQuery(**wrong)


@pytest.mark.parametrize(
    ("sort", "value", "id_"),
    [
        (Sort.ACCEPTED, "text", "a"),
        (Sort.NAME, 5, "a"),
        (Sort.NAME, "\ud800", "a"),
        (Sort.ACCEPTED, 5, "\ud800"),
        (Sort.ACCEPTED, 2**70, "a"),
    ],
)
def test_a_cursor_that_no_store_could_compare_is_refused(sort: Sort, value: int | str, id_: str) -> None:
    """Somebody made it up; a store must not stumble over it."""
    cursor = JobQuery(sort=sort).cursor_at(value, id_)

    with pytest.raises(Refused):
        JobQuery(sort=sort, cursor=cursor)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (JobQuery(), True),
        (JobQuery(status=frozenset({"job-queued", "job-failed"})), True),
        (JobQuery(status=frozenset({"job-failed"})), False),
        (JobQuery(tag=frozenset({"x"})), False),
        (JobQuery(text="memory OUT"), True),
        (JobQuery(text="memory leak"), False),
        (JobQuery(ended=Span(to_ms=10**15)), False),
        (JobQuery(ended=Span()), True),
    ],
)
def test_a_job_matches_when_every_condition_holds(query: JobQuery, expected: bool) -> None:
    """One condition's values are alternatives; a time that is absent lies in no bounded span."""
    assert matches(query, _JOB) is expected


def test_equal_values_are_ordered_by_id_in_the_same_direction() -> None:
    """So a cursor is always one place."""
    jobs = [replace(_JOB, id=name) for name in "bca"]

    assert select(JobQuery(), jobs).ids == ("c", "b", "a")
    assert select(JobQuery(descending=False), jobs).ids == ("a", "b", "c")


def test_facets_count_the_hundred_most_frequent_values() -> None:
    """Those beyond are left out; equal counts are ordered by code point."""
    jobs = [replace(_JOB, id=str(number), tag=f"t{number:03}") for number in range(150)]
    jobs.append(replace(_JOB, id="more", tag="t149"))

    counts = select(JobQuery(facets=(Term.TAG,), limit=0), jobs).counts[Term.TAG]

    assert counts[:2] == (("t149", 2), ("t000", 1))
    assert len(counts) == 100


def test_every_term_and_sort_is_a_field_of_what_is_searched() -> None:
    """The enums, the table of paths and the values can't drift apart."""
    for term in Term:
        assert isinstance(_JOB.term(term), str)
        assert JobQuery(**{term.value: frozenset({"x"})}).terms() == {term: frozenset({"x"})}
    for sort in Sort:
        assert isinstance(_JOB.sorted_by(sort), int | str)


def test_values_of_another_type_count_as_absent() -> None:
    """A foreign document is searched by what it has, and breaks nothing."""
    odd: dict[str, Any] = {
        "id": "a",
        "status": 5,
        "type": ["x"],
        "@timestamp": 12,
        "job": {"priority": "high", "job_info": [], "params": {1: ("deep", {"x": "words"})}},
    }

    found = searched(odd)

    assert (found.status, found.type, found.updated, found.priority, found.queue) == ("", "", 0, 0, "")
    assert found.words == ("x", "deep", "words")
    assert isinstance(found, Searched)
