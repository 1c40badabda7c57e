"""The ledger's own clock, which leases and announcements run on: it never jumps and never goes back.

Each step moves it by what the server's clock moved since the last one, capped: while the ledger is away it stands
still, so neither an outage nor a jump of the wall clock ends a lease. What the wall clock stepped back is a debt that
its next steps ahead pay first: a clock that swings to and fro would else be counted at each swing ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

CLOCK_CAP_MS = 2_000
"""The most that the clock moves in one step, however far the server's did; and the most that is owed after one back."""


def sure_s(limit_s: float) -> float:
    """For how long, counted from the *sending* of the step that set it, a limit on this clock has surely not run out:
    each of two steps may have moved the clock by a cap more than time passed.
    """
    return limit_s - 2 * CLOCK_CAP_MS / 1000


@dataclass(slots=True)
class LedgerClock:
    """`ms` counts from the ledger's birth; `wall_ms` is the server's time at the last step, 0 before the first.

    While the wall clock stays within a band no wider than the cap around the true time, this one is never further
    ahead of the time that truly passed than that band is wide, however often the wall clock swings. A jump back and one
    ahead of any size do no more than that either: the first costs at most the cap, the second gains at most that.
    """

    ms: int = 0
    wall_ms: int = 0
    debt_ms: int = 0
    """How far the wall clock stepped back, at most the cap, less what its steps ahead have made up for since."""

    def tick(self, now_us: int) -> None:
        """Move by what the server's clock moved less the debt, at most CLOCK_CAP_MS and never back."""
        moved_ms = self._moved_ms(now_us)
        self.ms, self.wall_ms = self.read(now_us), now_us // 1000
        self.debt_ms = min(max(self.debt_ms - moved_ms, 0), CLOCK_CAP_MS)

    def read(self, now_us: int) -> int:
        """What it would show after a step at that time; it stays as it is."""
        return self.ms + max(self._moved_ms(now_us) - self.debt_ms, 0)

    def _moved_ms(self, now_us: int) -> int:
        """How far the wall clock moved since the last step: below 0 where it went back."""
        return min(now_us // 1000 - self.wall_ms, CLOCK_CAP_MS) if self.wall_ms else 0
