"""What sizes and durations may be written as, and how they are shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.lib import units


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("10GB", 10 * 10**9),
        ("10 GiB", 10 * 2**30),
        ("512MB", 512 * 10**6),
        ("1.5TiB", 3 * 2**39),
        ("3 kB", 3000),
        ("7B", 7),
        (" 4096 ", 4096),
        (4096, 4096),
        (0, 0),
        ("0.5KiB", 512),
    ],
)
def test_a_size_is_read_with_its_unit(text: str | int, size_bytes: int) -> None:
    """Units with an i are powers of 1024, those without of 1000; a plain number is bytes."""
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "junk",
    ["10 Gib", "10Gb", "10 gb", "", "GB", "-1GB", "nan", "1e9", "1.5", "1,5GB", "10  GB", "٣GB", "9" * 5000,
     "9999PB", "10GB\n5", "1 GB 2 MB", -1, True, 1.5, float("nan"), None, 10**400, [1]],
)  # fmt: skip
def test_what_is_not_a_size_is_refused_with_the_units_that_exist(junk: Any) -> None:
    """The message names the value, cut to a line, and the units; nobody guesses at bits or bytes."""
    with pytest.raises(ValueError, match=r"is not a size: .*GiB") as caught:
        units.parse_size(junk)

    assert len(str(caught.value)) < 240


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("2h", 7200.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("250ms", 0.25),
        ("7d", 604_800.0),
        ("1w", 604_800.0),
        ("1.5h", 5400.0),
        ("1m500ms", 60.5),
        (" 90 ", 90.0),
        (90, 90.0),
        (0.5, 0.5),
        ("0", 0.0),
    ],
)
def test_a_duration_is_read_with_its_unit(text: str | float, seconds: float) -> None:
    """A plain number is seconds; parts join from large to small."""
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize(
    "junk",
    ["", "s", "-1s", "nan", "inf", "1e3", "30m1h", "1h1h", "1h30", "5 minutes", "1H", "1h,30m", "9" * 5000,
     "1h  2m", -1, True, float("nan"), float("inf"), None, 10**400],
)  # fmt: skip
def test_what_is_not_a_duration_is_refused_with_the_units_that_exist(junk: Any) -> None:
    """Nonsense, units in the wrong order or given twice, and numbers that no clock can hold."""
    with pytest.raises(ValueError, match=r"is not a duration: .*1h30m"):
        units.parse_duration(junk)


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (16_000_000, "16 MB"),
        (1_536_000_000, "1.536 GB"),
        (-2000, "-2 KB"),
    ],
)
def test_a_size_is_shown_in_powers_of_a_thousand(size_bytes: int, shown: str) -> None:
    """The largest unit that leaves a whole part is taken."""
    assert units.format_size(size_bytes) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (0.25, "250ms"), (1.5, "1.5s"), (30, "30s"), (90, "1m30s"), (5400, "1h30m"), (604_800, "7d"),
     (90_061, "1d1h1m1s"), (-90, "-1m30s"), (float("inf"), "inf")],
)  # fmt: skip
def test_a_duration_is_shown_in_joined_units(seconds: float, shown: str) -> None:
    """Parts that are zero are left out."""
    assert units.format_duration(seconds) == shown


@given(st.integers(min_value=0, max_value=10**9))
def test_whole_seconds_survive_being_shown(seconds: int) -> None:
    """What people are shown, they may type."""
    assert units.parse_duration(units.format_duration(seconds)) == seconds


@given(st.integers(min_value=0, max_value=10**15))
def test_a_shown_size_is_off_by_less_than_a_thousandth(size_bytes: int) -> None:
    """Three digits behind the point are kept."""
    assert abs(units.parse_size(units.format_size(size_bytes)) - size_bytes) <= size_bytes / 1000


def test_one_thing_is_told_without_the_s_of_many() -> None:
    """None is many."""
    assert [units.counted(count, "job") for count in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]


@pytest.mark.parametrize("text", ["64M", "64m", "64 M"])
def test_a_size_without_its_last_letter_is_answered_by_both_that_it_may_mean(text: str) -> None:
    """Programs differ in what it means, so it is not guessed."""
    with pytest.raises(ValueError, match="is not a size: write 64MiB or 64MB; use plain bytes"):
        units.parse_size(text)
    with pytest.raises(ValueError, match="is not a size: use plain bytes"):
        units.parse_size("64Mb")


@pytest.mark.parametrize(
    ("text", "per_s", "shown"),
    [
        ("10/s", 10.0, "10/s"),
        ("90/m", 1.5, "1.5/s"),
        ("1/min", 1 / 60, "1/m"),
        ("2 / h", 2 / 3600, "2/h"),
        ("1/d", 1 / 86_400, "1/d"),
        ("3", 3.0, "3/s"),
        (0.5, 0.5, "30/m"),
    ],
)
def test_a_rate_is_read_with_its_unit_and_shown_with_one(text: str | float, per_s: float, shown: str) -> None:
    """A plain number is a second's; what is shown means the same again."""
    assert units.parse_rate(text) == pytest.approx(per_s)
    assert units.format_rate(units.parse_rate(text)) == shown
    assert units.parse_rate(units.format_rate(per_s)) == pytest.approx(per_s)


@pytest.mark.parametrize("text", ["", "fast", "10/y", "-1/s", "0/s", 0, True, float("nan"), "10 per s", None])
def test_what_is_no_rate_is_refused_with_those_that_are(text: object) -> None:
    """Nothing at all is no rate either."""
    with pytest.raises(ValueError, match="is not a rate: use 10/s, 90/m"):
        units.parse_rate(text)  # type: ignore[arg-type]
