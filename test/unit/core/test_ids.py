"""Ids: their grammar, their time, and the ids of children."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core import ids
from hysds.core.errors import InvalidSpec
from hysds.lib import uuid7

_PARENT = ids.JobId("01930f5e-7b1c-7000-8000-0123456789ab")


@given(st.uuids(version=4) | st.uuids(version=5) | st.uuids(version=1))
def test_a_lower_case_uuid_of_any_version_is_an_id(value: uuid.UUID) -> None:
    """A caller's own ids are taken; only ours carry a time."""
    assert ids.job_id(str(value)) == str(value)
    assert ids.made_ms(ids.JobId(str(value))) is None


@pytest.mark.parametrize(
    "text",
    ["", "x", str(_PARENT).upper(), f"{{{_PARENT}}}", f" {_PARENT}", f"{_PARENT}\n", f"urn:uuid:{_PARENT}",
     "00000000-0000-0000-0000-000000000000", "٠1930f5e-7b1c-7000-8000-0123456789ab", 7, None, b"x", "x" * 10_000],
)  # fmt: skip
def test_what_is_no_id_is_refused_with_its_path_and_an_example(text: object) -> None:
    """The message shows a bounded part of what was given."""
    with pytest.raises(InvalidSpec) as caught:
        ids.job_id(text, "$.uuid")

    (complaint,) = caught.value.complaints
    assert complaint.path == "$.uuid"
    assert "lower case" in complaint.message
    assert len(complaint.message) < 200


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**42 - 1), st.integers(0, 2**32 - 1))
def test_the_time_of_an_id_of_ours_is_read_from_it(ms: int, counter: int, random: int) -> None:
    """The ledger refuses ids older than it remembers."""
    assert ids.made_ms(ids.job_id(uuid7.compose(ms, counter, random))) == ms


def test_children_have_the_same_ids_each_time_and_their_own_at_each_position() -> None:
    """A repeated expansion makes no second job."""
    children = [ids.child(_PARENT, position) for position in range(100)]

    assert children == [ids.child(_PARENT, position) for position in range(100)]
    assert len({*children, ids.child(ids.job_id(children[0]), 0)}) == 101
    assert [ids.job_id(child) for child in children] == children
    assert children[7] == str(uuid.uuid5(uuid.UUID(_PARENT), "7"))
