"""When a process that ended by itself is started again: at once, and ever later if it does not stay."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_S = 0.1
LONGEST_S = 30.0
STEADY_S = 60.0
"""Who lived so long has recovered: the next end is a first one again."""

_DOUBLINGS = 16  # by far enough to reach the longest


@dataclass(slots=True)
class Restarts:
    """The ends of one process in a row. There is one of each, so nothing is gained by spreading the delays."""

    _in_a_row: int = 0

    def delay_s(self, lived_s: float) -> float:
        """How long to wait after an end, of a process that lived so long."""
        if lived_s >= STEADY_S:
            self._in_a_row = 0
        delay_s = min(FIRST_S * 2 ** min(self._in_a_row, _DOUBLINGS), LONGEST_S)
        self._in_a_row += 1
        return float(delay_s)
