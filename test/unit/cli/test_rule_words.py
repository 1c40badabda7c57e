"""From options to the document of a rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from hysds.cli import rule_words
from hysds.cli.rules import add
from hysds.core.errors import Refused


def _document(*arguments: str) -> dict[str, Any]:
    context = add.make_context("add", list(arguments))
    options = dict(context.params)
    options.pop("replace")
    return rule_words.document(options.pop("name"), options)


def test_conditions_become_one_query() -> None:
    """In the language that a rule is kept in, whichever way it was said."""
    asked = _document(
        "r", "--status", "failed", "--status", "revoked", "--type", "x", "--from-queue", "q", "--tag", "t",
        "--user", "u",
        "--failure-class", "oom", "--where", "params.a=1", "--where", "context.b^=x", "--where", "params.c", "--retry",
    )  # fmt: skip

    assert asked == {
        "name": "r",
        "when": {
            "bool": {
                "filter": [
                    {"terms": {"status": ["job-failed", "job-revoked"]}},
                    {"terms": {"type": ["job:x", "x"]}},
                    {"term": {"job.job_info.job_queue": "q"}},
                    {"term": {"job.tag": "t"}},
                    {"term": {"job.username": "u"}},
                    {"term": {"failure_class": "oom"}},
                    {"term": {"job.params.a": "1"}},
                    {"prefix": {"job.context.b": "x"}},
                    {"exists": {"field": "job.params.c"}},
                ]
            }
        },
        "then": "action:retry",
        "params": {},
    }


def test_a_whole_query_and_params_of_every_form() -> None:
    """As JSON on the line, or from a file."""
    asked = _document(
        "r", "--when", '{"match_all": {}}', "--then", "job:x", "--param", "a=1", "--param", "b:=[2]",
        "--param-from", "c=job.params.c", "--priority", "3", "--queue", "q", "--owner", "o", "--repeats", "2",
        "--on", "task", "--disabled",
    )  # fmt: skip

    assert asked == {
        "name": "r",
        "on": "task",
        "when": {"match_all": {}},
        "then": "job:x",
        "params": {"a": "1", "b": [2], "c": {"from": "job.params.c"}},
        "priority": 3,
        "queue": "q",
        "owner": "o",
        "repeats": 2,
        "enabled": False,
    }


def test_options_go_over_a_file(tmp_path: Path) -> None:
    """Also over one of HySDS's, in its own words."""
    ours, theirs, query = tmp_path / "ours", tmp_path / "theirs", tmp_path / "query"
    ours.write_text(json.dumps({"name": "a", "then": "job:x", "priority": 1}))
    theirs.write_text(json.dumps({"rule_name": "a", "job_type": "hysds-io-x:v1", "query_string": "{}"}))
    query.write_text('{"match_all": {}}')

    assert _document("b", "--file", str(ours), "--priority", "2") == {
        "name": "b",
        "then": "job:x",
        "priority": 2,
    }
    told = _document("b", "--file", str(theirs), "--when", f"@{query}", "--param", "x=1", "--owner", "o")
    assert told == {
        "rule_name": "b",
        "job_type": "hysds-io-x:v1",
        "query_string": '{"match_all": {}}',
        "kwargs": '{"x": "1"}',
        "username": "o",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        ("r", "--retry", "--mail", "a@b"),
        ("r", "--when", "{}", "--status", "failed"),
        ("r", "--when", "{"),
        ("r", "--when", "[]"),
        ("r", "--when", "@/nowhere"),
        ("r", "--when", '{"a": 1, "a": 2}'),
        ("r", "--param-from", "a"),
        ("r", "--param", "a"),
    ],
    ids=" ".join,
)
def test_options_that_contradict_each_other_are_a_usage_error(wrong: tuple[str, ...]) -> None:
    """With a word on which."""
    with pytest.raises(click.UsageError):
        _document(*wrong)


def test_a_range_over_params_is_refused() -> None:
    """As everywhere."""
    with pytest.raises(Refused, match="no range"):
        _document("r", "--where", "params.x>1")
