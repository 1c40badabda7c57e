"""Limits and rates as they are handed in, and as a record keeps them."""

from __future__ import annotations

import pytest

from hysds.core import limit_keys
from hysds.core.limit_keys import Limit, Rate, RateTerms


def test_a_record_keeps_limits_in_their_order() -> None:
    """What is written is read back; none are written as nothing."""
    limits = (Limit("user:änn", 2), Limit("key: a b", 1))

    assert limit_keys.read_limits(limit_keys.written_limits(limits)) == limits
    assert limit_keys.written_limits(()) == ""
    assert limit_keys.read_limits("") == ()


def test_a_record_keeps_rates_as_whole_numbers() -> None:
    """The time between two tokens in µs, and how many lie ready at most."""
    rates = (Rate("queue:gpu", 0.5, 3), Rate("type:t", 30, 1))

    read = limit_keys.read_rates(limit_keys.written_rates(rates))

    assert read == (RateTerms("queue:gpu", 2_000_000, 3), RateTerms("type:t", 33_333, 30))


def test_a_key_named_twice_is_refused() -> None:
    """Which of the two numbers would hold?"""
    with pytest.raises(ValueError, match="limited twice"):
        limit_keys.written_limits((Limit("key:a", 1), Limit("key:a", 2)))


@pytest.mark.parametrize(("key", "places"), [("", 1), ("key:a", 0), ("key:a", -1), ("key:a", 10**10)])
def test_a_limit_has_a_key_and_a_place(key: str, places: int) -> None:
    """Without a place nothing would ever run."""
    with pytest.raises(ValueError, match="limit"):
        Limit(key, places)


@pytest.mark.parametrize(
    ("key", "per_s", "burst"),
    [
        ("", 1, 1),
        ("key:a", 0, 1),
        ("key:a", -1, 1),
        ("key:a", float("nan"), 1),
        ("key:a", float("inf"), 1),
        ("key:a", 1, 0),
        ("key:a", 1e-9, 1),
        ("key:a", 1, 10**10),
    ],
)
def test_a_rate_has_a_key_and_sensible_numbers(key: str, per_s: float, burst: int) -> None:
    """A token must come some day, and be countable."""
    with pytest.raises(ValueError, match=r"rate|limit"):
        Rate(key, per_s, burst)
