"""Which generations of the store's indices there are: a job's document lives in the one that its job was born in."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 1
"""The generation of a ledger whose store has never been rolled over."""


@dataclass(frozen=True, slots=True)
class Generations:
    """All from `oldest` to `current`, the one that new jobs are born in. Neither ever goes down."""

    oldest: int = FIRST
    current: int = FIRST

    def rolled(self, current: int, oldest: int) -> Generations:
        """At least these; the current one is never among those that were dropped."""
        current = max(self.current, current)
        return Generations(min(max(self.oldest, oldest), current), current)

    def is_dropped(self, generation: int) -> bool:
        """Whether its index was dropped: a document of it is written nowhere any more."""
        return generation < self.oldest
