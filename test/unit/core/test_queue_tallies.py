"""Meters: how fast jobs come and go."""

from __future__ import annotations

import pytest

from hysds.core.queue_tallies import Meter, word_of

_MINUTE_MS = 60_000
_NOW_MS = 30_000_000 * _MINUTE_MS


def _counted(*times_ms: int) -> Meter:
    meter = Meter()
    for at_ms in times_ms:
        meter = meter.plus(_NOW_MS + at_ms)
    return meter


def test_a_rate_is_the_mean_over_the_last_minutes() -> None:
    """Five whole ones and the part of the present one that has passed."""
    meter = _counted(*range(0, 6 * _MINUTE_MS, 6_000))

    assert meter.per_minute(_NOW_MS + 6 * _MINUTE_MS - 1) == pytest.approx(10, rel=0.01)


def test_old_minutes_count_no_more() -> None:
    """Each minute that passes leaves one out, and after six nothing is left."""
    meter = _counted(0, 0, _MINUTE_MS)

    assert [round(meter.per_minute(_NOW_MS + passed * _MINUTE_MS) * 5) for passed in (1, 5, 6, 7)] == [
        3,
        3,
        1,
        0,
    ]


def test_a_meter_that_never_counted_says_nothing() -> None:
    """Also on a clock that was set back before its newest minute."""
    assert Meter().per_minute(_NOW_MS) == 0
    assert _counted(0).per_minute(_NOW_MS - 3 * _MINUTE_MS) == pytest.approx(0.2)


def test_a_reason_is_counted_by_its_first_word() -> None:
    """The key of a limit is a name of its own."""
    assert [word_of(reason) for reason in ("time", "limit user:ann", "")] == ["time", "limit", ""]
