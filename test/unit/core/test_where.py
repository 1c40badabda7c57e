"""Conditions on values inside params and context, over plain documents."""

from __future__ import annotations

import pytest

from hysds.core.errors import Refused
from hysds.core.leaves import MAX_LEAVES, MAX_VALUE_LENGTH, leaves
from hysds.core.where import How, Where, read

_DOCUMENT = {
    "id": "a",
    "job": {
        "params": {
            "url": "s3://bucket/a.tif",
            "passes": [1, 2.5, True, None],
            "deep": {"er": [{"x": "one"}, {"x": "two"}]},
            "empty": {},
            "dotted.key": "",
        },
        "context": {"url": "elsewhere"},
        "name": "not looked at",
    },
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("params.url=s3://bucket/a.tif", True),
        ("payload.url=s3://bucket/a.tif", True),
        ("job.params.url=s3://bucket/a.tif", True),
        ("params.url=s3://bucket", False),
        ("params.url^=s3://bucket", True),
        ("params.url^=S3", False),
        ("context.url=elsewhere", True),
        ("context.url=s3://bucket/a.tif", False),
        ("params.passes=1", True),
        ("params.passes=2.5", True),
        ("params.passes=true", True),
        ("params.passes=2.50", False),
        ("params.passes=null", False),
        ("params.deep.er.x=two", True),
        ("params.deep.er", False),
        ("params.empty", False),
        ("params.dotted.key", True),
        ("params.dotted.key=", True),
        ("params.absent", False),
        ("params.url=a=b", False),
    ],
)
def test_a_condition_looks_at_single_values_as_texts(line: str, expected: bool) -> None:
    """Whatever type a value has; any of a list's is enough, and what holds others is no value itself."""
    assert read(line).holds(leaves(_DOCUMENT)) is expected


@pytest.mark.parametrize("line", ["params.x>5", "params.x<=2026", "context.a.b>=1"])
def test_a_range_is_refused_with_the_reason(line: str) -> None:
    """Texts have no order that a user of numbers could mean."""
    with pytest.raises(Refused, match="no range"):
        read(line)


@pytest.mark.parametrize(
    "line", ["", "=x", "params", "params.", "status=x", "job.name=x", "params.x^=", "params.x=" + "y" * 1025,
             "params." + "k" * 600, "params.x=\ud800", "params.\ud800=x"],
)  # fmt: skip
def test_a_condition_that_no_document_could_answer_is_refused(line: str) -> None:
    """At once, not by an empty page."""
    with pytest.raises(Refused):
        read(line)


def test_a_condition_with_a_value_that_its_way_does_not_take_is_refused() -> None:
    """`exists` has none."""
    with pytest.raises(Refused):
        Where("params.x", How.EXISTS, "y")


def test_a_payload_of_any_size_and_depth_gives_a_bounded_number_of_leaves() -> None:
    """Ten thousand keys, a long value, a path of a thousand keys and a half character do no harm."""
    deep: dict[str, object] = {"x": 1}
    for _ in range(1_000):
        deep = {"d": deep}
    params = {"long": "v" * 5_000, "half": "\ud800", "deep": deep, **{f"k{n}": n for n in range(10_000)}}

    found = leaves({"job": {"params": params}})

    assert len(found) == MAX_LEAVES
    assert found[:3] == (("params.long", "v" * MAX_VALUE_LENGTH), ("params.half", "?"), ("params.k0", "0"))
