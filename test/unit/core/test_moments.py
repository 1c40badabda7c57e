"""Times in documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core import moments


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_reads_back_as_it_was_written(ms: int) -> None:
    """For every ms from 1970 to the end of the year 9999."""
    text = moments.iso(ms)

    assert moments.ms_of(text) == ms
    assert len(text) == len("2026-11-23T00:16:14.250Z")
    assert text.endswith("Z")


def test_a_known_time_has_the_known_text() -> None:
    """Milliseconds and a Z."""
    assert moments.iso(1_767_225_661_007) == "2026-01-01T00:01:01.007Z"


@pytest.mark.parametrize(
    "text", ["", "yesterday", "1969-12-31T23:59:59Z", None, 5, "0001-01-01T00:00:00+23:59"]
)
def test_what_is_no_time_since_1970_reads_as_zero(text: object) -> None:
    """0 stands for *no time* everywhere."""
    assert moments.ms_of(text) == 0


def test_a_time_without_a_zone_is_in_utc() -> None:
    """HySDS wrote some so."""
    assert moments.ms_of("2026-01-01T00:01:01.007") == 1_767_225_661_007


def test_a_time_beyond_the_calendar_is_an_error() -> None:
    """Not a silent wrong year."""
    with pytest.raises(ValueError, match="no year"):
        moments.iso(10**17)
