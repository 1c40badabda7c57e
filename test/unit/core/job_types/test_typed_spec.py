"""What creator and type add to a spec, and what a type does not allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hysds.core.budgets import Budget, OomLadder, Retry
from hysds.core.errors import InvalidSpec
from hysds.core.job_types.catalog import Command, Creator, Dedup, JobType, Limits
from hysds.core.job_types.typed_spec import by_creator, by_type
from hysds.core.spec import JobSpec, Resources

SPEC = JobSpec("job:x", {"n": 3})
TYPE = JobType(
    "job:x",
    command=Command("/bin/x", ("-v",), ("$n",), {"A": "type", "B": "type"}),
    queues=("gpu", "cpu"),
    limits=Limits(100.0, 200.0, None, 7),
    resources=Resources(slots=2, cpus=1.0, memory=2**30, disk=10**9),
    retry=Retry(user=Budget(3), gpu=Budget(4), on_exit_codes={"7": Budget(2), "8": Budget(2)}),
)


def complaints(spec: JobSpec, job_type: JobType, **options: Any) -> dict[str, str]:
    """By path, what is wrong with a spec of the type."""
    with pytest.raises(InvalidSpec) as caught:
        by_type(spec, job_type, 300.0, **options)
    return {one.path: one.message for one in caught.value.complaints}


def test_a_type_fills_what_the_spec_does_not_say() -> None:
    """Command, queue, limits, priority, resources, retry and variables."""
    filled = by_type(SPEC, TYPE, 300.0)

    assert filled.argv == ("/bin/x", "-v", "3")
    assert (filled.job_queue, filled.priority) == ("gpu", 7)
    assert (filled.soft_time_limit, filled.time_limit) == (100.0, 200.0)
    assert (filled.resources, filled.retry) == (TYPE.resources, TYPE.retry)
    assert filled.env == {"A": "type", "B": "type"}


def test_what_the_spec_says_comes_before_what_the_type_says() -> None:
    """Field by field, also within resources, retry and variables; priority 0 is said."""
    own = replace(
        SPEC,
        job_queue="mine",
        priority=0,
        soft_time_limit=10.0,
        time_limit=20.0,
        resources=Resources(memory=2**31, disk=0),
        retry=Retry(user=Budget(9), on_exit_codes={"7": Budget(9)}),
        env={"A": "spec"},
    )

    filled = by_type(own, TYPE, 300.0)

    assert (filled.job_queue, filled.priority) == ("mine", 0)
    assert (filled.soft_time_limit, filled.time_limit) == (10.0, 20.0)
    assert filled.resources == Resources(slots=2, cpus=1.0, memory=2**31, disk=0)
    assert filled.retry == Retry(
        user=Budget(9), gpu=Budget(4), on_exit_codes={"7": Budget(9), "8": Budget(2)}
    )
    assert filled.env == {"A": "spec", "B": "type"}


def test_a_type_that_says_nothing_leaves_the_spec() -> None:
    """The very same values."""
    own = replace(SPEC, payload={"_command": "true"}, time_limit=5.0, resources=Resources(slots=3))

    assert by_type(own, JobType("job:x"), 300.0) == own


@pytest.mark.parametrize(
    ("creator", "spec", "made"),
    [
        ((10.0, 20.0), (1.0, 2.0), (10.0, 20.0)),
        ((None, None), (1.0, 2.0), (1.0, 2.0)),
        ((10.0, None), (1.0, 2.0), (10.0, 310.0)),
        ((10.0, None), (1.0, 20.0), (10.0, 20.0)),
        ((None, 2.0), (10.0, 20.0), (None, 2.0)),
        ((None, 20.0), (10.0, None), (10.0, 20.0)),
        ((10.0, None), (None, None), (10.0, None)),
    ],
)
def test_a_creators_limits_come_before_the_specs_and_never_cross(
    creator: tuple[Any, Any], spec: tuple[Any, Any], made: tuple[Any, Any]
) -> None:
    """A hard limit of the spec below the creator's soft one follows that by the gap, as in HySDS."""
    one = Creator("c", "m.f", soft_time_limit=creator[0], time_limit=creator[1])
    asked = replace(SPEC, soft_time_limit=spec[0], time_limit=spec[1])

    job = by_creator(asked, one, None, 300.0)

    assert (job.soft_time_limit, job.time_limit) == made


def test_one_creators_limits_do_not_reach_the_next_ones_job() -> None:
    """In HySDS the first creator's 10 and 400 also bound the second one's job, which had 1000 of its spec."""
    spec = replace(SPEC, soft_time_limit=1000.0, time_limit=2000.0)
    first, second = Creator("a", "m.a", soft_time_limit=10.0, time_limit=400.0), Creator("b", "m.b")

    jobs = [by_creator(spec, creator, queue, 300.0) for creator in (first, second) for queue in ("p", "q")]

    assert [(job.job_queue, job.soft_time_limit, job.time_limit) for job in jobs] == [
        ("p", 10.0, 400.0),
        ("q", 10.0, 400.0),
        ("p", 1000.0, 2000.0),
        ("q", 1000.0, 2000.0),
    ]


@pytest.mark.parametrize(
    ("spec", "filled"),
    [
        ((None, None), (700.0, 1000.0)),
        ((900.0, None), (900.0, 1000.0)),
        ((100.0, None), (100.0, None)),
        ((None, 900.0), (None, 900.0)),
        ((100.0, 1000.0), (100.0, 1000.0)),
    ],
)
def test_no_job_of_the_type_runs_longer_than_the_longest(
    spec: tuple[Any, Any], filled: tuple[Any, Any]
) -> None:
    """Where the hard limit would be made by the gap or the settings, it is the ceiling; a named one stays."""
    asked = replace(SPEC, payload={"_command": "true"}, soft_time_limit=spec[0], time_limit=spec[1])

    job = by_type(asked, JobType("job:x", limits=Limits(longest=1000.0)), 300.0)

    assert (job.soft_time_limit, job.time_limit) == filled


def test_what_is_above_the_ceilings_is_refused_and_says_whose_they_are() -> None:
    """All at once, with the place that defines the type."""
    limits = Limits(
        longest=60.0, highest_priority=5, most={"slots": 1, "cpus": 2, "memory": 10**9, "disk": 10**9}
    )
    own = replace(
        SPEC,
        payload={"_command": "true"},
        priority=6,
        soft_time_limit=61.0,
        time_limit=100.0,
        resources=Resources(2, 3.0, 2 * 10**9, 2 * 10**9),
    )

    found = complaints(own, JobType("job:x", limits=limits, sources=("types.json: $.configs[0]",)))

    assert found["$.resources.memory"] == (
        "2 GB is above 1 GB, the most that job:x may have (types.json: $.configs[0])"
    )
    assert sorted(found) == [
        "$.priority",
        "$.resources.cpus",
        "$.resources.disk",
        "$.resources.memory",
        "$.resources.slots",
        "$.soft_time_limit",
        "$.time_limit",
    ]


def test_a_type_that_can_t_be_run_yet_is_refused_with_its_reasons() -> None:
    """And with what else is wrong."""
    found = complaints(
        replace(SPEC, payload={}), replace(TYPE, refusals=("needs an image, which can't be run yet",))
    )

    assert found["$.job_type"] == "job:x: needs an image, which can't be run yet"
    assert found["$.payload.n"].startswith("is required")


def test_a_spec_need_not_and_may_not_bring_another_command() -> None:
    """The one that is made of the type and the payload may stand there: it is what a routed spec holds."""
    made = by_type(SPEC, TYPE, 300.0)

    assert by_type(made, TYPE, 300.0) == made
    found = complaints(replace(SPEC, payload={"n": 3, "_command": "/bin/sh"}), TYPE)
    assert found["$.payload._command"] == (
        'is not the command that is registered for job:x, "/bin/x -v 3"; leave it out'
    )


def test_without_a_command_of_the_type_the_spec_brings_one() -> None:
    """Or is refused; the parent of a group runs none."""
    bare = JobType("job:x")

    assert "is required" in complaints(SPEC, bare)["$.payload._command"]
    assert by_type(SPEC, bare, 300.0, runs_command=False).payload == SPEC.payload


def test_a_type_may_let_every_job_run_again() -> None:
    """As if each spec had said so."""
    assert not by_type(SPEC, replace(TYPE, dedup=Dedup(enabled=False)), 300.0).enable_dedup


def test_a_ladder_of_the_type_must_fit_the_memory_of_the_spec() -> None:
    """Each is good alone."""
    job_type = replace(TYPE, retry=Retry(oom=OomLadder(2, 2**31)))

    assert by_type(SPEC, job_type, 300.0).retry.oom == OomLadder(2, 2**31)
    found = complaints(replace(SPEC, resources=Resources(memory=2**32)), job_type)
    assert "is below resources.memory" in found["$.retry.oom.cap"]
