"""What a submitter may give, by the type that a hysds-io file names."""

from __future__ import annotations

from typing import Any

import pytest

from hysds.core.job_types import parameter_types
from hysds.core.job_types.interfaces import Destination, Parameter

_TYPES = ("job-report:v1", "job-report:v2", "job-other:v9")
_SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}


def _param(type_: str) -> Parameter:
    return Parameter(
        "p", Destination.CONTEXT, type=type_, enumerables=("a", 2, True), version_regex="^job-report:"
    )


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("", [1], [1]),
        ("text", "", ""),
        ("textarea", "a\nb", "a\nb"),
        ("number", "3", 3),
        ("number", " -2.5e3 ", -2500.0),
        ("number", 7, 7),
        ("number", 0.5, 0.5),
        ("boolean", "True", True),
        ("boolean", "false", False),
        ("boolean", True, True),
        ("enum", "a", "a"),
        ("enum", 2, 2),
        ("enum", "2", 2),
        ("enum", "true", True),
        ("email", "ana@example.org", "ana@example.org"),
        ("email", "a@b.org, c@d.org", "a@b.org, c@d.org"),
        ("date", "2030-01-31", "2030-01-31"),
        ("datetime", "2030-01-31T18:00:00Z", "2030-01-31T18:00:00Z"),
        ("datetime", "2030-01-31T18:00:00.5", "2030-01-31T18:00:00.5"),
        ("region", _SQUARE, _SQUARE),
        ("region", '{"type": "Point", "coordinates": [1, 2]}', '{"type": "Point", "coordinates": [1, 2]}'),
        ("jobspec_version", "v2", "v2"),
        ("jobspec_version", "job-report:v1", "job-report:v1"),
        ("colour", {"any": "thing"}, {"any": "thing"}),
    ],
)
def test_what_fits_is_given_to_the_job(type_: str, value: Any, expected: Any) -> None:
    """Numbers, booleans and choices that came as text are what they mean; all else is as it was given."""
    found = parameter_types.checked(_param(type_), value, _TYPES)

    assert (expected, type(expected)) == (found, type(found))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", 3),
        ("textarea", ["a"]),
        ("number", "three"),
        ("number", "1_000"),
        ("number", "nan"),
        ("number", "٣"),
        ("number", True),
        ("number", "9" * 101),
        ("boolean", "yes"),
        ("boolean", 1),
        ("enum", "b"),
        ("enum", 1),
        ("enum", ["a"]),
        ("email", "nobody"),
        ("email", "a@b.org,"),
        ("email", 3),
        ("date", "31.1.2030"),
        ("date", "2030-02-30"),
        ("date", 20300131),
        ("datetime", "noon"),
        ("region", "{"),
        ("region", [1, 2]),
        ("region", {"type": "Polygon"}),
        ("jobspec_version", "v9"),
        ("jobspec_version", 2),
    ],
)
def test_what_does_not_fit_says_what_must_be(type_: str, value: Any) -> None:
    """The message names what is wanted, and what came."""
    with pytest.raises(ValueError, match=r"^must be .*, not "):
        parameter_types.checked(_param(type_), value, _TYPES)


def test_a_number_that_no_double_holds_is_no_number() -> None:
    """JSON has no infinity."""
    with pytest.raises(ValueError, match="must be a number"):
        parameter_types.checked(_param("number"), "1e999", ())


def test_a_version_of_no_registered_type_says_that_there_is_none() -> None:
    """Whoever has registered nothing is not asked for one of nothing."""
    with pytest.raises(ValueError, match=r"\(none\)"):
        parameter_types.checked(_param("jobspec_version"), "v1", ())


def test_unknown_types_are_known_to_be_unknown() -> None:
    """Their values are not checked, which the registration says."""
    assert tuple(map(parameter_types.is_known, ("", "number", "colour"))) == (True, True, False)
