"""When cron expressions come true, in time zones that change their clocks."""

from __future__ import annotations

from datetime import datetime

import pytest

from hysds.core import cron
from hysds.core.errors import InvalidSpec


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("*/15 * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z"),
        ("*/15 * * * *", "UTC", "2026-01-01T00:14:59.999Z", "2026-01-01T00:15:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 9 * * MON-FRI", "UTC", "2026-01-02T10:00:00Z", "2026-01-05T09:00:00Z"),
        ("@daily", "UTC", "2026-01-01T10:00:00Z", "2026-01-02T00:00:00Z"),
        # 2:30 does not exist on that day: right after the gap.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T03:00:00+02:00"),
        # 2:30 comes twice on that day: the first is it, and the next is a day later.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"),
        # Every hour is every hour, whatever clocks show.
        ("0 * * * *", "Europe/Berlin", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"),
    ],
)
def test_the_next_time_follows_the_clocks_of_the_zone(
    expression: str, zone: str, after: str, expected: str
) -> None:
    """Strictly later than the moment that is asked from."""
    assert cron.cron(expression, zone).after(ms(after)) == ms(expected)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-01T02:30:00Z", "2026-01-01T02:30:00Z"),
        ("2026-01-01T02:30:00.001Z", "2026-01-01T02:30:00Z"),
        ("2026-01-01T02:29:59.999Z", "2025-12-31T02:30:00Z"),
    ],
)
def test_the_latest_time_is_at_or_before_the_moment(moment: str, expected: str) -> None:
    """To the millisecond."""
    assert cron.cron("30 2 * * *", "UTC").until(ms(moment)) == ms(expected)


@pytest.mark.parametrize(
    ("expression", "zone", "where", "words"),
    [
        ("", "UTC", "cron", "has 0 fields and should have 5"),
        ("* * * *", "UTC", "cron", "has 4 fields"),
        ("* * * * * *", "UTC", "cron", "has 6 fields"),
        ("61 * * * *", "UTC", "cron", "bad minute"),
        ("* * * * MOO", "UTC", "cron", "bad day-of-week"),
        ("* */0 * * *", "UTC", "cron", "bad hour"),
        ("0 0 31 2 *", "UTC", "cron", "bad day-of-month"),
        ("@reboot", "UTC", "cron", "there are @hourly"),
        ("*" * 300, "UTC", "cron", "too long"),
        ("* * * * *", "Mars/Olympus", "tz", "no time zone"),
        ("* * * * *", "../../etc/passwd", "tz", "no time zone"),
        ("* * * * *", "/etc/localtime", "tz", "no time zone"),
        ("* * * * *", "Europe", "tz", "no time zone"),
        ("* * * * *", "", "tz", "no time zone"),
    ],
)
def test_what_is_no_time_says_where_and_why(expression: str, zone: str, where: str, words: str) -> None:
    """The error names the part and what is wrong with it."""
    with pytest.raises(InvalidSpec) as refusal:
        cron.cron(expression, zone)

    [complaint] = refusal.value.complaints
    assert complaint.path == where
    assert words in complaint.message


def test_both_parts_are_complained_of_at_once() -> None:
    """Whoever mends one should not have to come back for the other."""
    with pytest.raises(InvalidSpec) as refusal:
        cron.cron("x", "y")

    assert [one.path for one in refusal.value.complaints] == ["tz", "cron"]
