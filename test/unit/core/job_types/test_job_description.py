"""How a creator's description of a job becomes a spec, and which fields it may have."""

from __future__ import annotations

from typing import Any

import pytest

from hysds.core.budgets import Budget, Retry
from hysds.core.errors import InvalidSpec
from hysds.core.job_types.catalog import Creator
from hysds.core.job_types.job_description import Maker
from hysds.core.parse import parse_document
from hysds.core.spec import JobSpec, Resources, Tick, dedup_digest

CREATOR = Creator("grid-tile", "mysite.grid", ("fast", "slow"))
REQUEST = JobSpec("job:grid", {"size": 3})
GAP_S = 300.0


def _made(
    description: dict[str, Any], request: JobSpec = REQUEST, creator: Creator = CREATOR, position: int = 0
) -> tuple[JobSpec, ...]:
    return Maker(request, creator, parse_document, GAP_S).specs(description, position)


def _spec(request: JobSpec = REQUEST, creator: Creator = CREATOR, **fields: Any) -> JobSpec:
    return _made({"type": "tile", "params": {"_command": "true"}, **fields}, request, creator)[0]


def _complaints(**fields: Any) -> list[str]:
    with pytest.raises(InvalidSpec) as caught:
        _spec(**fields)
    return [str(one) for one in caught.value.complaints]


def test_type_params_and_name_have_names_of_their_own_in_a_spec() -> None:
    """As HySDS names them in a job."""
    spec = _spec(name="one", tag="t", username="u", context={"a": 1})

    assert (spec.job_type, spec.payload, spec.job_name) == ("tile", {"_command": "true"}, "one")
    assert (spec.tag, spec.username, spec.context) == ("t", "u", {"a": 1})


def test_the_type_that_was_asked_for_keeps_its_namespace() -> None:
    """A creator is told the bare name, and gives it back."""
    assert _spec(type="grid").job_type == "job:grid"
    assert _spec(type="other").job_type == "other"


def test_without_a_name_a_job_has_the_requests_else_the_creators() -> None:
    """Its type's would not tell it from the others."""
    assert _spec().job_name == "grid-tile"
    assert _spec(JobSpec("job:grid", {}, job_name="mine")).job_name == "mine"


def test_the_request_fills_what_a_description_does_not_say() -> None:
    """And of context it comes first, of variables last."""
    request = JobSpec(
        "job:grid",
        {},
        priority=7,
        tag="asked",
        username="ann",
        enable_dedup=False,
        concurrency_key="k",
        context={"a": "asked", "b": 1},
        env={"A": "asked", "B": "1"},
        resources=Resources(cpus=2),
        retry=Retry(user=Budget(3)),
        not_before=5.0,
        ttl=60.0,
        deadline=90.0,
    )
    bare = _spec(request)
    full = _spec(request, priority=0, tag="made", enable_dedup=True, context={"a": "made"}, env={"A": "made"})

    for name in (
        "priority",
        "tag",
        "username",
        "enable_dedup",
        "concurrency_key",
        "context",
        "env",
        "resources",
    ):
        assert getattr(bare, name) == getattr(request, name), name
    for name in ("retry", "not_before", "ttl", "deadline"):
        assert getattr(bare, name) == getattr(request, name), name
    assert (full.priority, full.tag, full.username, full.enable_dedup) == (0, "made", "ann", True)
    assert full.context == {"a": "asked", "b": 1}
    assert full.env == {"A": "made", "B": "1"}


@pytest.mark.parametrize(
    ("own", "entry", "asked", "expected"),
    [
        ((None, None), (None, None), (None, None), (None, None)),
        ((None, None), (None, None), (10.0, 400.0), (10.0, 400.0)),
        ((None, None), (20.0, 500.0), (10.0, 400.0), (20.0, 500.0)),
        ((30.0, None), (20.0, 500.0), (10.0, 400.0), (30.0, 500.0)),
        ((None, None), (600.0, None), (10.0, 400.0), (600.0, 900.0)),
        ((None, 50.0), (None, None), (100.0, 400.0), (None, 50.0)),
    ],
)
def test_limits_of_the_description_come_before_the_creators_and_these_before_the_requests(
    own: tuple[float | None, float | None],
    entry: tuple[float | None, float | None],
    asked: tuple[float | None, float | None],
    expected: tuple[float | None, float | None],
) -> None:
    """And never cross: a hard limit of another side gives way."""
    creator = Creator("c", "m.f", ("fast",), *entry)
    request = JobSpec("job:grid", {}, soft_time_limit=asked[0], time_limit=asked[1])
    found = _spec(request, creator, soft_time_limit=own[0], time_limit=own[1])

    assert (found.soft_time_limit, found.time_limit) == expected


def test_a_job_in_two_queues_is_no_duplicate_of_itself() -> None:
    """It was asked for in both; the same request makes the same two again."""
    job = {"type": "tile", "params": {"_command": "true"}}
    fast, slow = _made(job)
    [alone] = _made(job, creator=Creator("c", "m.f", ("fast",)))

    assert (fast.job_queue, slow.job_queue) == ("fast", "slow")
    assert dedup_digest(fast) == dedup_digest(alone) != dedup_digest(slow)
    assert dedup_digest(slow) == dedup_digest(_made(job)[1])


def test_a_creator_without_queues_leaves_the_requests() -> None:
    """None: the type's own, or its name, as for any spec."""
    creator = Creator("c", "m.f")

    assert _spec(JobSpec("job:grid", {}, job_queue="asked"), creator).job_queue == "asked"
    assert _spec(creator=creator).job_queue is None


def test_the_requests_payload_hash_is_that_of_the_first_job() -> None:
    """The others have one made of it, unless they say one."""
    request = JobSpec("job:grid", {}, payload_hash="mine")
    job = {"type": "tile", "params": {"_command": "true"}}
    first, slow = _made(job, request)
    [second, _], [again, _] = _made(job, request, position=2), _made(job, request, position=2)

    assert first.payload_hash == "mine"
    assert len({first.payload_hash, slow.payload_hash, second.payload_hash}) == 3
    assert second == again
    assert _made({**job, "payload_hash": "own"}, request, position=2)[0].payload_hash == "own"


@pytest.mark.parametrize(
    "fields",
    [
        {"localize_urls": []},
        {"publish_overwrite_ok": False},
        {"container_image_name": None, "container_mappings": {}, "runtime_options": {}},
    ],
)
def test_what_asks_for_nothing_is_taken(fields: dict[str, Any]) -> None:
    """HySDS's creators write these fields always."""
    assert _spec(**fields) == _spec()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"localize_urls": [{"url": "s3://x"}]}, "$.localize_urls: inputs can't be localized yet"),
        ({"publish_overwrite_ok": True}, "$.publish_overwrite_ok: nothing is published yet"),
        ({"container_image_name": "x"}, "$.container_image_name: images come with containers"),
        ({"job_queue": "fast"}, "$.job_queue: is said by the job type's job_queues"),
        ({"job_id": "x"}, "$.job_id: is made by HySDS"),
        ({"nmae": "x"}, "$.nmae: unknown field of a job; known are after, array"),
        ({"type": 7}, "$.type: "),
        ({"type": ""}, "$.type: "),
        ({"params": []}, "$.params: "),
        ({"params": {"_command": 7}}, "$.params._command: must be a string"),
        ({"params": {"_command": "true", "_disk_usage": "much"}}, "$.params._disk_usage: "),
        ({"name": "a\nb"}, "$.name: holds a control character"),
        ({"priority": 11}, "$.priority: "),
        ({"soft_time_limit": 10, "time_limit": 5}, "$.soft_time_limit: "),
        ({"resources": {"memory": "64G"}}, "$.resources.memory: "),
        ({"env": {"HYSDS_HOME": "x"}}, "$.env.HYSDS_HOME: is reserved"),
    ],
)
def test_what_can_not_be_honoured_is_refused_by_the_path_that_the_creator_wrote(
    fields: dict[str, Any], complaint: str
) -> None:
    """Nothing is ignored."""
    assert any(one.startswith(complaint) for one in _complaints(**fields)), _complaints(**fields)


def test_a_job_without_type_and_params_is_refused() -> None:
    """Both at once."""
    with pytest.raises(InvalidSpec) as caught:
        _made({"name": "x"})

    assert [str(one) for one in caught.value.complaints] == ["$.type: is required", "$.params: is required"]


def test_a_creator_may_make_tasks() -> None:
    """Calls of functions, in a queue of its entry."""
    spec = _made({"type": "grid", "kind": "task", "params": {"function": "a.b", "kwargs": {"x": 1}}})[0]

    assert (spec.kind, spec.job_queue, spec.payload["function"]) == ("task", "fast", "a.b")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"env": {"A": "1"}}, "$.env"),
        ({"context": {"a": 1}}, "$.context"),
        ({"resources": Resources(cpus=1)}, "$.resources"),
    ],
)
def test_a_task_is_refused_what_its_request_says_and_it_can_not_have(
    fields: dict[str, Any], path: str
) -> None:
    """Rather than ignored."""
    with pytest.raises(InvalidSpec) as caught:
        _made(
            {"type": "grid", "kind": "task", "params": {"function": "a.b"}}, JobSpec("job:grid", {}, **fields)
        )

    assert [one.path for one in caught.value.complaints] == [path]


def test_jobs_of_two_times_of_a_schedule_are_no_duplicates_of_each_other() -> None:
    """In none of their queues; those of one time are the same each time that they are made."""
    description = {"type": "tile", "params": {"_command": "true"}}
    digests = [
        [
            dedup_digest(one)
            for one in _made(description, JobSpec("job:grid", {}, tick=Tick("nightly", time_s)))
        ]
        for time_s in (60.0, 120.0, 60.0)
    ]

    assert digests[0] == digests[2]
    assert not set(digests[0]) & set(digests[1])
