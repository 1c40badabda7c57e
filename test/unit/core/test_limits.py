"""How long a job may run."""

from __future__ import annotations

import pytest

from hysds.core.limits import TimeLimits, time_limits
from hysds.core.parse import parse_document


@pytest.mark.parametrize(
    ("given", "deadline_in_s", "expected"),
    [
        ({}, None, TimeLimits(1000, 1300)),
        ({}, 2000, TimeLimits(1000, 1300)),
        ({}, 1100, TimeLimits(1000, 1100)),
        ({}, 900, TimeLimits(None, 900)),
        ({"soft_time_limit": 10}, None, TimeLimits(10, 310)),
        ({"time_limit": 10}, None, TimeLimits(None, 10)),
        ({"soft_time_limit": 10, "time_limit": 20}, 5, TimeLimits(None, 5)),
        ({"soft_time_limit": 10, "time_limit": 20}, -1, TimeLimits(None, -1)),
    ],
)
def test_the_earlier_of_hard_limit_and_deadline_holds(
    given: dict[str, object], deadline_in_s: float | None, expected: TimeLimits
) -> None:
    """A soft limit at or after the end would ask nobody."""
    spec = parse_document({"job_type": "job:x", "payload": {"_command": "x"}, **given})

    assert time_limits(spec, 1000, 300, deadline_in_s) == expected
