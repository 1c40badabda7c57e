"""Shapes: written, read, rounded, and compared with what a host has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core.shapes import CPU_STEP, MEMORY_STEP_MIB, Capacity, Shape, decode, shape_of

_MIB, _GIB = 1 << 20, 1 << 30
_NEEDS = st.tuples(
    st.integers(1, 64), st.floats(0, 512), st.integers(0, 8_192 * _GIB), st.integers(0, 100_000 * _GIB)
)


@given(_NEEDS)
def test_a_shape_is_read_as_it_was_written(needs: tuple[int, float, int, int]) -> None:
    """It is a part of ledger keys."""
    shape = shape_of(*needs)

    assert decode(str(shape)) == shape


@given(_NEEDS)
def test_needs_are_rounded_up_and_by_a_step_at_most(needs: tuple[int, float, int, int]) -> None:
    """A host that fits the shape fits the job; little is wasted."""
    slots, cpus, memory_bytes, disk_bytes = needs
    shape = shape_of(*needs)

    assert shape.slots == slots
    assert 0 <= shape.cpus - cpus <= CPU_STEP
    assert 0 <= shape.memory_mib * _MIB - memory_bytes < (MEMORY_STEP_MIB + 1) * _MIB
    assert shape.memory_mib % MEMORY_STEP_MIB == 0
    assert 0 <= shape.disk_gib * _GIB - disk_bytes < _GIB


@given(_NEEDS, _NEEDS)
def test_what_fits_leaves_nothing_negative(
    one: tuple[int, float, int, int], two: tuple[int, float, int, int]
) -> None:
    """Disk is measured anew at each claim, so it is not taken."""
    shape, free = shape_of(*one), Capacity(*two)
    left = free.less(shape)

    enough = min(left.slots, left.cpus, left.memory_bytes, free.disk_bytes - shape.disk_gib * _GIB) >= 0
    assert shape.fits(free) == enough
    assert left.disk_bytes == free.disk_bytes


def test_jobs_that_need_nothing_but_a_slot_share_one_shape() -> None:
    """Zeros are left out."""
    assert str(shape_of(1, None, None, None)) == "1s"
    assert str(shape_of(2, 1.2, 4_000 * _MIB, 10**10)) == "2s1.5c4096m10d"
    assert decode("2s1.5c4096m10d") == Shape(2, 1.5, 4096, 10)


@pytest.mark.parametrize("text", ["", "s", "1", "1s1.2c", "1s5m3c", "1s ", "-1s", "1s\n"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    """A key that was made otherwise is not ours."""
    with pytest.raises(ValueError, match="is no shape"):
        decode(text)
