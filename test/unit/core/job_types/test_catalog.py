"""Job types as values: their JSON, their digest, how a spec finds its type."""

from __future__ import annotations

import pytest

from hysds.core.budgets import Budget, OomLadder, Retry
from hysds.core.errors import Internal, InvalidSpec
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Command, Creator, Dedup, Image, JobType, Limits
from hysds.core.job_types.interfaces import Destination, Interface, JobFile, Parameter
from hysds.core.spec import Resources

FULL = JobType(
    "job:full",
    creators=(
        Creator("one", "creators.utils.one", ("gpu", "cpu"), 10.0, 20.0),
        Creator("two", "creators.two"),
    ),
    command=Command("/bin/x", ("-v",), ("$a", "b"), {"HOME": "/tmp"}),
    interface=Interface(
        "hysds-io-full:v1",
        JobFile("/bin/x"),
        (Parameter("a", Destination.POSITIONAL, enumerables=("1", "2")),),
    ),
    queues=("gpu",),
    limits=Limits(1.0, 2.0, 3.0, 4, 5, {"memory": 10}),
    resources=Resources(slots=2, memory=1 << 30),
    retry=Retry(
        worker_lost=Budget(3, 1.0),
        oom=OomLadder(2, 1 << 40),
        on_exit_codes={"7": Budget(2)},
        user=Budget(None),
    ),
    dedup=Dedup(False, ("job-queued",), 60.0, False, ("_tag",)),
    places=3,
    rate_per_s=0.5,
    burst=4,
    image=Image("i:1", "s3://i", {"x86_64": "s3://x"}, {"/a": ["/b", "ro"]}, {"gpus": "all"}),
    dependency_images=(Image("j:1"),),
    refusals=("containers can't be run yet",),
    sources=("a.json: $.configs[0]",),
    is_added=True,
)


def test_what_is_stored_is_read_again() -> None:
    """Every field of every part, tuples as tuples."""
    known = catalog.catalog([FULL, JobType("job:bare")])

    again = catalog.from_stored(catalog.stored(known))

    assert again == known
    assert again.types["job:full"] == FULL
    assert again.digest == known.digest


def test_the_digest_tells_what_the_types_say() -> None:
    """Not the order in which they were named."""
    one, two = JobType("a", places=1), JobType("b")

    assert catalog.catalog([one, two]).digest == catalog.catalog([two, one]).digest
    assert catalog.catalog([one, two]).digest != catalog.catalog([one]).digest
    assert catalog.catalog([one]).digest != catalog.catalog([JobType("a", places=2)]).digest


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("job:x", "job:x"),
        ("x", "job:x"),
        ("dataset:x", None),
        ("job:w", "w"),
        ("other:w", "w"),
        ("two", None),
        ("v1", None),
        ("y", None),
    ],
)
def test_a_spec_finds_its_type_with_and_without_namespace(asked: str, found: str | None) -> None:
    """HySDS's orchestrator says `job:x`, its job_worker.json `x`; another namespace is another type."""
    known = catalog.catalog(
        [
            JobType("job:x"),
            JobType("w"),
            JobType("a:two"),
            JobType("b:two"),
            JobType("job-x:v1", is_added=True),
        ]
    )

    job_type = known.find(asked)

    assert (job_type.name if job_type else None) == found


def test_types_that_are_added_replace_those_of_their_name_and_say_so() -> None:
    """They are marked: the files of the next reload leave them where they are."""
    known = catalog.catalog([JobType("a", places=1), JobType("b")])

    changed = catalog.with_added(known, [JobType("a", places=2)])

    assert changed.types["a"] == JobType("a", places=2, is_added=True)
    assert changed.types["b"] == JobType("b")


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '[{"name": "a", "new": 1}]', '[{"name": "a", "limits": 3}]']
)
def test_a_catalogue_that_another_version_wrote_is_told_of(text: str) -> None:
    """It can't be read, and the message says what to do."""
    with pytest.raises(Internal, match="hysds config reload"):
        catalog.from_stored(text)


def test_files_replace_what_files_said_before_and_leave_what_was_added() -> None:
    """A type that is both is refused with both places."""
    added = JobType("job-a:v1", sources=("/repo/job-spec.json.a",), is_added=True)
    known = catalog.catalog([JobType("old"), added])
    of_files = catalog.catalog([JobType("new")])

    assert catalog.with_files(known, of_files).types == {"job-a:v1": added, "new": JobType("new")}
    with pytest.raises(InvalidSpec) as caught:
        catalog.with_files(known, catalog.catalog([JobType("job-a:v1", sources=("f: $.configs[0]",))]))
    assert [str(one) for one in caught.value.complaints] == [
        "f: $.configs[0]: job-a:v1 was also added by `hysds types add`, from /repo/job-spec.json.a"
    ]
