"""Types made of interfaces, and put beside those that a catalogue has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hysds.core.errors import Refused
from hysds.core.job_types import additions, catalog
from hysds.core.job_types.additions import Adding, added
from hysds.core.job_types.catalog import Dedup, Image, JobType, Limits
from hysds.core.job_types.interfaces import Interface, JobFile
from hysds.core.spec import Resources

_FULL = Interface(
    "hysds-io-x:v1",
    JobFile("true", ("a", "b"), ("b", "c"), 10.0, 20.0, 1000, pre=("p.q",)),
    image="i:v1",
    enable_dedup=False,
)
_X = additions.job_type(_FULL, ["/d/job-spec.json.x"])
_Y = additions.job_type(Interface("hysds-io-y:v1", JobFile("true")), ["/d/job-spec.json.y"])


def test_a_type_has_what_its_interface_says() -> None:
    """Queues with the first choice first, limits, disk, dedup, image, and why nothing of it runs yet."""
    assert ("job-x:v1", ("b", "c"), Limits(10.0, 20.0), Resources(disk=1000), Dedup(enabled=False)) == (
        _X.name,
        _X.queues,
        _X.limits,
        _X.resources,
        _X.dedup,
    )
    assert (Image("i:v1"), _FULL, ("/d/job-spec.json.x",), True) == (_X.image, _X.interface, _X.sources, True)
    assert len(_X.refusals) == 2
    assert (_Y.queues, _Y.refusals) == ((), ())


def test_a_type_survives_the_catalogues_json() -> None:
    """What is published is what was read."""
    known = catalog.catalog([_X, _Y])

    assert known == catalog.from_stored(catalog.stored(known))
    assert _X == known.find("job:job-x:v1") == known.find("job-x:v1")


def test_types_are_added_beside_others() -> None:
    """Those that are there stay as they are."""
    other = JobType("job:other")
    made = added(catalog.catalog([other]), [_X, _Y], may_replace=False)

    assert {"job:other": other, "job-x:v1": _X, "job-y:v1": _Y} == dict(made.known.types)
    assert made.outcomes == {"job-x:v1": Adding.ADDED, "job-y:v1": Adding.ADDED}


def test_the_same_again_changes_nothing() -> None:
    """Also from another directory: what a type says counts, not where."""
    known = catalog.catalog([_X])
    made = added(known, [replace(_X, sources=("/elsewhere",))], may_replace=False)

    assert (known.digest, {"job-x:v1": Adding.UNCHANGED}) == (made.known.digest, made.outcomes)


def test_other_content_under_the_same_version_is_refused() -> None:
    """All such types are named, and nothing is added."""
    known = catalog.catalog([_X, _Y])

    with pytest.raises(Refused, match=r"job-x:v1 is registered .*--replace; job-y:v1 is registered"):
        added(known, [replace(_X, queues=()), replace(_Y, queues=("q",))], may_replace=False)


def test_other_content_takes_its_place_where_that_is_asked_for() -> None:
    """The new one stands there alone."""
    changed = replace(_X, queues=("q",))
    made = added(catalog.catalog([_X]), [changed], may_replace=True)

    assert ({"job-x:v1": changed}, {"job-x:v1": Adding.REPLACED}) == (dict(made.known.types), made.outcomes)


def test_a_type_that_a_file_defines_is_never_replaced() -> None:
    """The file would bring it back at the next reload."""
    there = JobType("job-x:v1", sources=("/etc/types.json $.configs[0]",))

    with pytest.raises(Refused, match=r"defined by /etc/types.json \$.configs\[0\]"):
        added(catalog.catalog([there]), [_X], may_replace=True)
