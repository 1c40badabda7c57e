"""Jobs by their registered type, in a whole system in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hysds.core.errors import InvalidSpec, NotFound, Refused
from hysds.core.job_types.additions import Adding
from hysds.core.job_types.catalog import JobType
from hysds.core.job_types.filling import Request
from hysds.core.query import JobQuery
from hysds.orchestrator import job_repository
from hysds.sdk.by_type import Over
from hysds.testing import Play, SimulatedSystem

_FILES = Path(__file__).parents[2] / "job_files"
_ALL = Over(JobQuery(descending=False), "--ascending")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    """With the types of the test's files, and three jobs that ran: two failed."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=int(workload.argv[-1] == "bad"))) as found:
        found.client.add_types(job_repository.read(_FILES, "v1").types)
        for scene, word in (("S1", "good"), ("S2", "bad"), ("S3", "bad")):
            found.client.submit(
                {
                    "job_type": "job:work",
                    "job_queue": "default",
                    "payload": {"_command": f"run {word}", "scene": scene},
                }
            )
        found.settle()
        yield found


def test_types_of_files_are_registered_for_every_submitter(system: SimulatedSystem) -> None:
    """The same again changes nothing."""
    again = system.client.add_types(job_repository.read(_FILES, "v1").types)

    assert 6 == len(system.client.types()) == len(again)
    assert {Adding.UNCHANGED} == set(again.values())


def test_a_job_of_a_type_runs_with_what_was_given(system: SimulatedSystem) -> None:
    """It is a job like any other."""
    job = system.client.submit_type("job-hello:v1", {"greeting": "hi", "count": "2"}, Request(tag="t"))
    system.settle()
    document = system.client.job(job.id)

    assert (
        document["status"],
        document["type"],
        document["queue"],
        document["job"]["tag"],
    ) == ("job-completed", "job:job-hello:v1", "default", "t")
    assert (
        document["job"]["params"]["count"],
        document["job"]["params"]["_command"].endswith(" hi once ''"),
    ) == (2, True)


def test_either_name_of_a_type_finds_it(system: SimulatedSystem) -> None:
    """With the namespace of specs, and without."""
    plans = [
        system.client.plan(name, Request({"greeting": "x"})) for name in ("job-hello:v1", "job:job-hello:v1")
    ]

    assert plans[0] == plans[1]


def test_an_unknown_type_is_not_found_with_the_near_one(system: SimulatedSystem) -> None:
    """Versions are part of the name."""
    with pytest.raises(NotFound, match=r"job-helo:v1: not registered; did you mean job-hello:v1\?"):
        system.client.submit_type("job-helo:v1")


def test_an_iteration_is_a_job_for_each_hit(system: SimulatedSystem) -> None:
    """In the order of the query, each with the values of its own hit; what was submitted does not match itself."""
    failed = Over(JobQuery(status=frozenset({"job-failed"}), descending=False))
    taken = system.client.submit_type_over("job-again:v1", failed)
    assert taken is not None
    system.settle()
    params = [system.client.job(one)["job"]["params"] for one in taken.jobs]

    assert [one["scene"] for one in params] == ["S2", "S3"]
    assert all(one["_command"].endswith(" FAILED") for one in params)


def test_the_jobs_of_an_iteration_are_one_group(system: SimulatedSystem) -> None:
    """Whoever submitted them follows one id; a single hit is a job of its own."""
    taken = system.client.submit_type_over("job-again:v1", _ALL, request=Request(tag="t"))
    one = system.client.submit_type_over(
        "job-again:v1", replace(_ALL, at_most=1), request=Request(repeat=True)
    )
    assert taken is not None
    assert one is not None
    system.settle()
    group = system.client.job(taken.submission.id)

    assert (group["status"], group["type"], group["job"]["tag"]) == ("job-completed", "job:job-again:v1", "t")
    assert group["job"]["params"] == {"query": "--ascending"}
    assert {system.client.job(job)["parent"] for job in taken.jobs} == {taken.submission.id}
    assert (taken.submission.members, len(taken.jobs), one.submission.members) == (3, 3, 0)
    assert one.jobs == (one.submission.id,)


def test_a_group_of_a_type_that_is_refused_submits_none_of_it(system: SimulatedSystem) -> None:
    """All or nothing: a queue that no member may use refuses all of them, with the reason."""
    with pytest.raises(InvalidSpec, match="can't name a queue"):
        system.client.submit_type_over("job-again:v1", _ALL, request=Request(queue="no queue"))
    system.settle()
    assert system.client.jobs(JobQuery(type=frozenset({"job:job-again:v1"}))).total == 0


def test_an_individual_is_one_job_for_all_hits(system: SimulatedSystem) -> None:
    """It gets lists, and the query as it was written."""
    plan = system.client.plan("job-tally:v1", Request(), _ALL)

    assert (
        len(plan.specs),
        plan.specs[0].payload["types"],
        plan.specs[0].payload["query"],
    ) == (1, ["job:work"] * 3, "--ascending")


def test_a_limit_takes_the_first_hits(system: SimulatedSystem) -> None:
    """As `--limit` of the query says; a page is no limit."""
    found = [
        system.client.plan("job-again:v1", Request(), replace(_ALL, at_most=most)).specs
        for most in (0, 2, None)
    ]

    assert [len(specs) for specs in found] == [0, 2, 3]


def test_many_hits_are_read_page_by_page(system: SimulatedSystem) -> None:
    """None is left out, none counts twice."""
    spec = {
        "job_type": "job:many",
        "job_queue": "elsewhere",
        "enable_dedup": False,
        "payload": {"_command": "x"},
    }
    system.client.submit_many([spec] * 2_100)
    system.settle()
    over = Over(JobQuery(type=frozenset({"job:many"})))
    plan = system.client.plan("job-again:v1", Request(), over)

    assert (len(plan.specs), len(set(plan.subjects))) == (2_100, 2_100)


def test_a_query_that_finds_nothing_submits_nothing(system: SimulatedSystem) -> None:
    """Neither for each nor for all."""
    nothing = Over(JobQuery(tag=frozenset({"none"})))

    assert system.client.submit_type_over("job-tally:v1", nothing) is None
    assert system.client.submit_type_over("job-again:v1", nothing) is None


def test_one_hit_that_lacks_a_value_refuses_all(system: SimulatedSystem) -> None:
    """Nothing was submitted, and every such hit is named, up to a number."""
    known = system.client.types()["job-again:v1"]
    assert known.interface is not None
    params = tuple(replace(param, optional=False) for param in known.interface.params)
    strict = replace(known, name="job-strict:v1", interface=replace(known.interface, params=params))
    system.client.add_types([strict])
    spec = {
        "job_type": "job:many",
        "job_queue": "elsewhere",
        "enable_dedup": False,
        "payload": {"_command": "x"},
    }
    system.client.submit_many([spec] * 30)
    system.settle()

    with pytest.raises(InvalidSpec) as refusal:
        system.client.submit_type_over("job-strict:v1", _ALL)
    assert (
        len(refusal.value.complaints),
        refusal.value.complaints[-1].message,
    ) == (21, "and 10 more complaints")
    assert system.client.jobs().total == 33


def test_types_that_say_nothing_of_hits_are_not_over_any(system: SimulatedSystem) -> None:
    """One without an interface, and one about data sets."""
    system.client.add_types([JobType("job:plain")])

    with pytest.raises(Refused, match="has no interface"):
        system.client.submit_type_over("job:plain", _ALL)
    with pytest.raises(Refused, match="is about data sets"):
        system.client.submit_type_over("job-scene-crop:v1", _ALL)


def test_parameters_of_a_type_without_an_interface_are_its_payload(system: SimulatedSystem) -> None:
    """So that every registered type is submitted the same way."""
    system.client.add_types([JobType("job:plain")])
    plan = system.client.plan("job:plain", Request({"_command": "x", "a": "1"}, priority=3, repeat=True))

    assert (
        plan.specs[0].payload,
        plan.specs[0].priority,
        plan.specs[0].enable_dedup,
    ) == ({"_command": "x", "a": "1"}, 3, False)


def test_a_type_that_asks_for_what_comes_later_says_so_at_submit(system: SimulatedSystem) -> None:
    """Every reason, and nothing is submitted."""
    with pytest.raises(InvalidSpec) as refusal:
        system.client.submit_type("job-interferogram:v1", {"reference": "x"})
    assert [one.path.removeprefix("job-spec $.") for one in refusal.value.complaints] == [
        "dependency_images",
        "pre",
        "post",
    ]


def test_dedup_keys_make_duplicates_of_jobs_that_differ_elsewhere(system: SimulatedSystem) -> None:
    """The second is one of the first; asked to repeat, it is none."""
    given = ({"job_id": "1", "status": "a-b"}, {"job_id": "1", "status": "c-d"})
    first, second = (system.client.submit_type("job-again:v1", one) for one in given)
    third = system.client.submit_type("job-again:v1", given[0], Request(repeat=True))

    assert (first.id, "job-deduped", "job-queued") == (second.twin, second.status, third.status)
