"""Where schedules are kept, so that any number of processes fire each tick once.

Every method raises Unreachable when no answer came, and may be repeated.
"""

from __future__ import annotations

from typing import Protocol

from hysds.core.schedule import Schedule


class Schedules(Protocol):
    """All schedules of a system, by name."""

    def put(self, schedule: Schedule, over: int | None) -> bool:
        """Keep a schedule in place of the one with revision `over` (None: of none); False where another stands there.

        A repeat is harmless: where this very schedule stands already, it is True.
        """

    def drop(self, name: str) -> bool:
        """Forget a schedule, whatever stands there; False where nothing does."""

    def all(self) -> tuple[Schedule, ...]:
        """Every schedule that can be read, by name."""

    def unreadable(self) -> tuple[str, ...]:
        """The names of the others, which another program or a later HySDS wrote."""

    def due(self, limit: int) -> tuple[int, tuple[Schedule, ...]]:
        """The time on the ledger server's wall clock (ms since 1970), and those that are due then, the oldest first."""
