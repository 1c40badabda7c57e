"""The ledger's own clock, which leases and announcements run on: it never jumps and never goes back.

Each step moves it by what the server's clock moved since the last one, capped: while the ledger is away it stands
still, so neither an outage nor a jump of the wall clock ends a lease.
"""

from __future__ import annotations

from dataclasses import dataclass

CLOCK_CAP_MS = 2_000
"""The most that the clock moves in one step, however far the server's did."""


@dataclass(slots=True)
class LedgerClock:
    """`ms` counts from the ledger's birth; `wall_ms` is the server's time at the last step, 0 before the first."""

    ms: int = 0
    wall_ms: int = 0

    def tick(self, now_us: int) -> None:
        """Move by what the server's clock moved, at most CLOCK_CAP_MS and never back."""
        self.ms, self.wall_ms = self.read(now_us), now_us // 1000

    def read(self, now_us: int) -> int:
        """What it would show after a step at that time; it stays as it is."""
        passed_ms = now_us // 1000 - self.wall_ms if self.wall_ms else 0
        return self.ms + min(max(passed_ms, 0), CLOCK_CAP_MS)
