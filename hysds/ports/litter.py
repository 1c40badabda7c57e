"""Litter: work directories of purged jobs, by the host where they lie, until a worker there has removed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

KEPT_S = 30 * 86_400
"""A host of which nothing was heard for so long after the latest purge keeps its directories: nobody asks any more."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where directories lie: below the root of a host's work directories."""

    host: str
    root: str


class Litter(Protocol):
    """Every method raises Unreachable when no answer came, and may be repeated."""

    def leave(self, ground: Ground, jobs: Mapping[str, int]) -> None:
        """Directories of these jobs are to be removed there: when each was accepted (wall ms), by id."""

    def lying(self, ground: Ground, cursor: str) -> tuple[str, Mapping[str, int]]:
        """The next cursor and some of what is to be removed there; begin with "" and go on until it is "" again."""

    def swept(self, ground: Ground, ids: tuple[str, ...]) -> None:
        """Nothing of these jobs is left there."""
