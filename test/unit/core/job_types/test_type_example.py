"""Examples of what submits a first job of a type: the submission that they show is taken."""

from __future__ import annotations

import shlex

import pytest

from hysds.core.job_types import type_example
from hysds.core.job_types.catalog import JobType
from hysds.core.job_types.interfaces import Component, Destination, Interface, JobFile, Parameter, Source

_HIT = Parameter("id", Destination.CONTEXT, Source.HIT, path="_id")


def _shown(*params: Parameter, job: JobFile | None = None, **fields: object) -> list[str]:
    interface = Interface("hysds-io-x:v1", job or JobFile("true"), params, **fields)  # type: ignore[arg-type]
    words = shlex.split(type_example.command(JobType("job-x:v1", interface=interface)))
    assert words[:4] == ["hysds", "submit", "--type", "job-x:v1"]
    return words[4:]


def test_a_type_for_some_accounts_is_shown_with_one_of_them() -> None:
    """Without it the submission would be refused."""
    assert _shown(allowed_accounts=("ann", "bob")) == ["--user", "ann"]
    assert _shown(allowed_accounts=("ann", "_all")) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("username", ["--user", "<user>"]),
        ("tag", ["--tag", "<tag>"]),
        ("priority", ["--priority", "5"]),
        ("query", ["--over", "--status failed"]),
        ("type", []),
        ("who", ["--param", "who=<who>"]),
    ],
)
def test_what_is_passed_through_is_given_with_its_option(name: str, shown: list[str]) -> None:
    """A name that is no field of a submission is a parameter."""
    assert _shown(Parameter(name, Destination.CONTEXT, Source.PASSTHROUGH)) == shown


def test_a_queue_is_shown_where_the_files_name_none() -> None:
    """Otherwise that one is passed through."""
    queue = Parameter("queue", Destination.CONTEXT, Source.PASSTHROUGH)

    assert _shown(queue) == ["--queue", "<queue>"]
    assert _shown(queue, job=JobFile("true", recommended_queues=("gpu",))) == []


def test_hits_of_data_sets_are_given_as_parameters() -> None:
    """They can't be searched; jobs can."""
    assert _shown(_HIT, component=Component.DATASETS) == ["--param", "id=<id>"]
    assert _shown(_HIT, component=Component.JOBS) == ["--over", "--status failed"]
