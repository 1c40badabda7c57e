"""From options to a query."""

from __future__ import annotations

import json
from dataclasses import fields

import click
import pytest

from hysds.cli.jobs import command, query_of
from hysds.core.errors import Refused
from hysds.core.query import JobQuery, Span
from hysds.core.searched import Sort, Term
from hysds.core.where import How, Where


def _query(*arguments: str) -> JobQuery:
    context = command.make_context("jobs", list(arguments))
    return query_of({key: value for key, value in context.params.items() if key != "as_json"})


def test_without_options_all_jobs_are_asked_for_newest_first() -> None:
    """The default is the query's own."""
    assert _query() == JobQuery()


def test_every_condition_of_a_query_has_an_option() -> None:
    """What a program can ask, a person can ask: no field of the query stays at its default here."""
    asked = _query(
        "--status", "failed", "--status", "job-revoked", "--type", "t", "--queue", "q", "--tag", "g",
        "--user", "u", "--worker", "w", "--failure-class", "oom", "--parent", "p", "--since", "1970-01-01T00:00:01",
        "--until", "1970-01-01T00:00:02", "--ended-since", "1970-01-01T00:00:03",
        "--ended-until", "1970-01-01T00:00:04", "--text", "no such file", "--sort", "duration",
        "--where", "params.x=1", "--where", "context.y",
        "--ascending", "--limit", "7", "--facet", "status", "--facet", "queue",
    )  # fmt: skip

    assert asked == JobQuery(
        status=frozenset({"job-failed", "job-revoked"}),
        type=frozenset({"t", "job:t"}),
        queue=frozenset({"q"}),
        tag=frozenset({"g"}),
        user=frozenset({"u"}),
        worker=frozenset({"w"}),
        failure_class=frozenset({"oom"}),
        parent=frozenset({"p"}),
        accepted=Span(1000, 2000),
        ended=Span(3000, 4000),
        text="no such file",
        where=(Where("params.x", How.IS, "1"), Where("context.y")),
        sort=Sort.DURATION,
        descending=False,
        limit=7,
        facets=(Term.STATUS, Term.QUEUE),
    )
    same = {field.name for field in fields(JobQuery) if getattr(asked, field.name) == field.default}
    assert same == {"cursor"}


@pytest.mark.parametrize("name", ["job-crop:v1", "job:job-crop:v1"])
def test_a_type_is_found_with_and_without_its_namespace(name: str) -> None:
    """`hysds types` and `submit --type` say `job-crop:v1`, documents `job:job-crop:v1`."""
    assert _query("--type", name).type == {"job-crop:v1", "job:job-crop:v1"}


def test_a_cursor_is_handed_on() -> None:
    """The cursor that a page ended with begins the next one."""
    cursor = JobQuery().cursor_at(1, "x")

    assert _query("--cursor", cursor).cursor == cursor


def test_a_foreign_cursor_is_refused() -> None:
    """A cursor that no search gave is told from one that did."""
    with pytest.raises(Refused, match="cursor"):
        _query("--cursor", "nonsense")


def test_a_page_has_a_largest_size() -> None:
    """A page that no store gives is refused before anything is asked."""
    with pytest.raises(click.BadParameter):
        _query("--limit", "10001")
    assert json.dumps(_query("--limit", "0").limit) == "0"
