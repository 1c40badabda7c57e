"""Interfaces as values, and as the JSON that carries them."""

from __future__ import annotations

import json

import pytest

from hysds.core.errors import Complaint
from hysds.core.job_types import interfaces
from hysds.core.job_types.interfaces import (
    Action,
    Component,
    Destination,
    Interface,
    JobFile,
    Parameter,
    Source,
    Submitting,
)

_FULL = Interface(
    name="hysds-io-crop:v1",
    job=JobFile(
        command="python /opt/crop.py",
        recommended_queues=("small",),
        required_queues=("small", "large"),
        soft_time_limit_s=3600.0,
        time_limit_s=3660.0,
        disk_bytes=10_000_000_000,
        imported_worker_files={"$HOME/.netrc": ["/home/ops/.netrc", "ro"]},
        dependency_images=({"container_image_name": "x:1"},),
        pre=("a.b",),
        post=("hysds.triage.triage",),
        disable_pre_builtins=True,
        disable_post_builtins=True,
    ),
    params=(
        Parameter("url", Destination.LOCALIZE, Source.HIT, path="_source.urls"),
        Parameter("count", Destination.CONTEXT, type="number", default=0, conversion="lambda x: int(x)"),
        Parameter(
            "mode", Destination.POSITIONAL, type="enum", enumerables=("a", 2), optional=True, label="?"
        ),
        Parameter("fixed", Destination.CONTEXT, Source.VALUE, value=False),
        Parameter("query", Destination.CONTEXT, Source.PASSTHROUGH),
        Parameter("next", Destination.CONTEXT, type="jobspec_version", version_regex="job-crop"),
    ),
    image="crop:v1",
    label="Crop",
    component=Component.DATASETS,
    submitting=Submitting.INDIVIDUAL,
    action=Action.ON_DEMAND,
    allowed_accounts=("ops",),
    enable_dedup=False,
    dedup_keys=("url",),
    doubts=(Complaint("$.a", "twice"),),
)


@pytest.mark.parametrize("interface", [_FULL, Interface("hysds-io-x:1", JobFile("true"))])
def test_an_interface_comes_back_from_its_json_as_it_was(interface: Interface) -> None:
    """Every field survives JSON, also those at their default, which are left out of it."""
    text = json.dumps(interfaces.stored(interface))

    assert interface == interfaces.from_stored(json.loads(text))


def test_what_stands_at_its_default_is_not_written() -> None:
    """A small interface is small in the ledger too."""
    assert interfaces.stored(Interface("hysds-io-x:1", JobFile("true"))) == {
        "name": "hysds-io-x:1",
        "job": {"command": "true"},
    }


def test_a_type_is_named_as_its_interface() -> None:
    """`hysds-io-NAME:VERSION` belongs to `job-NAME:VERSION`."""
    assert (_FULL.job_type, _FULL.version) == ("job-crop:v1", "v1")


def test_the_queue_is_the_first_recommended_one_that_is_allowed() -> None:
    """Required queues bound the recommended ones; without any the files name no queue."""
    both = JobFile("true", recommended_queues=("a", "b"), required_queues=("c", "b"))
    required = JobFile("true", required_queues=("c",))

    assert (both.queue, required.queue, JobFile("true").queue) == ("b", "c", "")
    assert (both.takes("b"), both.takes("a"), JobFile("true").takes("any")) == (True, False, True)


@pytest.mark.parametrize(
    ("accounts", "username", "taken"),
    [
        ((), None, True),
        (("_all",), None, True),
        (("ops",), "ops", True),
        (("ops",), "eve", False),
        (("ops",), None, False),
    ],
)
def test_only_allowed_accounts_may_submit(
    accounts: tuple[str, ...], username: str | None, taken: bool
) -> None:
    """None named, or `_all`: everybody; otherwise one must be named."""
    interface = Interface("hysds-io-x:1", JobFile("true"), allowed_accounts=accounts)

    assert taken == interface.takes_account(username)
