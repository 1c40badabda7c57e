"""By how much two clocks differ, asked over a line that takes time."""

from __future__ import annotations

import time
from collections.abc import Callable

MAY_DIFFER_MS = 2_000
"""Clocks of one system that differ by more make times of different hosts contradict each other."""

_ASKED = 3


def wall_ms() -> int:
    """This process's wall clock, ms since 1970."""
    return time.time_ns() // 1_000_000


def ahead_ms(theirs_ms: Callable[[], int], ours_ms: Callable[[], int] = wall_ms) -> int:
    """By how much ours is ahead of theirs; negative: behind.

    Of some answers the one that came fastest counts, taken for the middle of its way there and back (RFC 5905, 8): it
    is wrong by no more than half of that way.
    """
    found = []
    for _ in range(_ASKED):
        asked_ms = ours_ms()
        told_ms = theirs_ms()
        answered_ms = ours_ms()
        found.append((answered_ms - asked_ms, (asked_ms + answered_ms) // 2 - told_ms))
    return min(found)[1]


def told(difference_ms: int) -> str:
    """A difference for people: `3600.0 s ahead of`."""
    return f"{abs(difference_ms) / 1000:.1f} s {'ahead of' if difference_ms > 0 else 'behind'}"
