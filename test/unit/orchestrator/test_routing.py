"""Where specs go, under which bounds, and how they are told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hysds.core.acceptance import DedupPolicy, acceptance
from hysds.core.errors import InvalidSpec
from hysds.core.ids import JobId
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Command, Dedup, JobType
from hysds.core.limit_keys import Limit, Rate
from hysds.core.policies import Policies, QueuePolicy, Share
from hysds.core.record import FOREVER
from hysds.core.spec import TASK, JobSpec
from hysds.core.status import Status
from hysds.orchestrator.routing import Ground, Route, Router

DEDUP = DedupPolicy(frozenset({Status.QUEUED}), 1000)
SPEC = JobSpec("job:x", {"_command": "true"}, job_queue="gpu", username="ann", concurrency_key="tile")


def router(*types: JobType, policies: Policies | None = None) -> Router:
    """A router over these types and policies."""
    known = catalog.catalog(types)
    return Router(lambda: known, Ground(DEDUP, 300.0, policies or Policies()))


def complaints(router: Router, spec: JobSpec) -> dict[str, str]:
    """By path, why the spec is refused."""
    with pytest.raises(InvalidSpec) as caught:
        router.route(spec)
    return {one.path: one.message for one in caught.value.complaints}


def digest(route: Route) -> str:
    """What tells the job from others."""
    return acceptance(JobId("i"), route.spec, route.dedup).dedup


def test_without_types_and_policies_a_spec_stays_what_it_is() -> None:
    """And its concurrency key lets one job run at once."""
    found = router().route(SPEC)

    assert (found.spec, found.dedup) == (SPEC, DEDUP)
    assert (found.bounds.limits, found.bounds.rates) == ((Limit("key:tile", 1),), ())


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        (JobSpec("job:y", {"n": 1}), "$.payload._command", "no type is registered that gives job:y one"),
        (JobSpec("job:\N{SLEEPING FACE}", {"_command": "true"}), "$.job_queue", "is required here"),
        (
            JobSpec("dataset:w::data/2030/x", {"_command": "true"}),
            "$.job_type",
            "rules of an ingested dataset",
        ),
    ],
)
def test_an_unregistered_type_must_say_all_itself(spec: JobSpec, path: str, words: str) -> None:
    """A command, a queue, and nothing that only a later part of HySDS could do."""
    assert words in complaints(router(), spec)[path]


def test_a_task_needs_no_command() -> None:
    """Its payload names a function."""
    task = JobSpec("task:m.f", {"function": "m.f"}, job_queue="light", kind=TASK)

    assert router().route(task).spec == task


def test_a_job_gets_every_limit_that_names_it_the_narrowest_first() -> None:
    """Its key's, its user's, its type's, those of its queue for each of them, and its queue's."""
    policies = Policies(
        queues={"gpu": QueuePolicy(
            max_running=9, max_running_per_user=8, max_running_per_type=7, max_running_per_key=6,
            rate_per_s=10.0, burst=20,
        )},
        types={"job:*": Share(5, 1.0)},
        users={"*": Share(99), "a*": Share(4, 2.0, 3)},
        keys={"tile": Share(2)},
    )  # fmt: skip

    bounds = router(policies=policies).route(SPEC).bounds

    assert bounds.limits == (
        Limit("key:tile", 2),
        Limit("user:ann", 4),
        Limit("type:job:x", 5),
        Limit("queue:gpu/key:tile", 6),
        Limit("queue:gpu/user:ann", 8),
        Limit("queue:gpu/type:job:x", 7),
        Limit("queue:gpu", 9),
    )
    assert bounds.rates == (Rate("user:ann", 2.0, 3), Rate("type:job:x", 1.0, 1), Rate("queue:gpu", 10.0, 20))


def test_nobodys_jobs_without_a_key_share_type_and_queue_alone() -> None:
    """There is nothing else that they have in common."""
    policies = Policies(
        queues={"*": QueuePolicy(max_running=9, max_running_per_user=8, max_running_per_key=6)},
        users={"*": Share(1)},
        keys={"*": Share(1)},
    )

    bounds = router(policies=policies).route(replace(SPEC, username=None, concurrency_key=None)).bounds

    assert bounds.limits == (Limit("queue:gpu", 9),)


def test_of_a_type_and_a_policy_for_it_the_lesser_counts() -> None:
    """Under one key, whichever name a spec has for the type."""
    job_type = JobType("job:x", places=3, rate_per_s=2.0, burst=5)
    policies = Policies(types={"job:x": Share(4, 1.0, 7)})

    for name in ("job:x", "x"):
        bounds = router(job_type, policies=policies).route(replace(SPEC, job_type=name)).bounds
        assert Limit("type:job:x", 3) in bounds.limits
        assert bounds.rates == (Rate("type:job:x", 1.0, 7),)


def test_a_queue_takes_only_the_types_and_users_that_its_policy_names() -> None:
    """The refusal names the policy and where it is set."""
    policy = QueuePolicy(types=("job:train-*",), users=("ann", "bob"), source="/etc/hysds.toml: queues.gpu")
    one = router(policies=Policies(queues={"gpu": policy}))

    assert one.route(replace(SPEC, job_type="job:train-big")).spec.job_queue == "gpu"
    assert complaints(one, replace(SPEC, username=None)) == {
        "$.job_type": "job:x is not allowed by the policy of queue gpu (/etc/hysds.toml: queues.gpu): "
        "it takes job:train-*",
        "$.username": "a job without a username is not allowed by the policy of queue gpu "
        "(/etc/hysds.toml: queues.gpu): it takes ann, bob",
    }
    assert one.route(replace(SPEC, job_queue="cpu")).spec.job_queue == "cpu"


@pytest.mark.parametrize(
    ("asked", "given"),
    [((None, None), (60.0, 90.0)), ((10.0, None), (10.0, None)), ((None, 400.0), (None, 400.0))],
)
def test_a_queue_gives_limits_to_jobs_without_any(asked: Any, given: Any) -> None:
    """Whoever names one is not touched."""
    one = router(policies=Policies(queues={"gpu": QueuePolicy(soft_time_limit_s=60.0, time_limit_s=90.0)}))

    spec = one.route(replace(SPEC, soft_time_limit=asked[0], time_limit=asked[1])).spec

    assert (spec.soft_time_limit, spec.time_limit) == given


def test_a_queue_refuses_jobs_that_may_run_too_long() -> None:
    """And bounds those that say nothing."""
    policy = QueuePolicy(max_time_limit_s=600.0, source="environment HYSDS_QUEUES.gpu")
    one = router(policies=Policies(queues={"gpu": policy}))

    spec = one.route(SPEC).spec
    assert (spec.soft_time_limit, spec.time_limit) == (300.0, 600.0)
    assert complaints(one, replace(SPEC, time_limit=3600.0)) == {
        "$.time_limit": "1h is above 10m, the most that is allowed by the policy of queue gpu "
        "(environment HYSDS_QUEUES.gpu)"
    }


def test_a_retry_stays_what_it_was_under_the_policies_of_now() -> None:
    """Its type's command may be another by now, or gone."""
    one = router(
        JobType("job:x", command=Command("/bin/new")),
        policies=Policies(queues={"gpu": QueuePolicy(max_running=1)}),
    )

    found = one.again(SPEC)

    assert found.spec == SPEC
    assert Limit("queue:gpu", 1) in found.bounds.limits


def test_a_type_decides_which_states_and_how_long_a_job_stands_for_others() -> None:
    """What it does not say is as the settings have it."""
    said = Dedup(states=("job-completed",), window_s=60.0)

    assert router(JobType("job:x", dedup=said)).route(SPEC).dedup == DedupPolicy(
        frozenset({Status.COMPLETED}), 60_000
    )
    assert router(JobType("job:x", dedup=Dedup(forever=True))).route(SPEC).dedup == DedupPolicy(
        DEDUP.twins, FOREVER
    )


def test_keys_of_the_payload_that_do_not_count_do_not_count() -> None:
    """Also where they stand in the command; another command of the type does count."""
    job_type = JobType("job:x", command=Command("/bin/x", (), ("$n", "$log")), dedup=Dedup(ignored=("log",)))
    one, spec = router(job_type), JobSpec("job:x", {"n": 1, "log": "a"})

    same = one.route(replace(spec, payload={"n": 1, "log": "b"}))
    other = one.route(replace(spec, payload={"n": 2, "log": "a"}))
    renewed = router(replace(job_type, command=Command("/bin/y", (), ("$n", "$log"))))

    assert same.spec.argv == ("/bin/x", "1", "b")
    assert digest(same) == digest(one.route(spec))
    assert digest(other) != digest(one.route(spec))
    assert digest(renewed.route(spec)) != digest(one.route(spec))


def test_a_type_that_changes_is_routed_as_it_is_now() -> None:
    """What was kept of it was of the old one."""
    published = [catalog.catalog([JobType("job:x", places=1)])]
    one = Router(lambda: published[-1], Ground(DEDUP, 300.0))
    one.route(SPEC)

    published.append(catalog.catalog([JobType("job:x", places=2)]))

    assert Limit("type:job:x", 2) in one.route(SPEC).bounds.limits
