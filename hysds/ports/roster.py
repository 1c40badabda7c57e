"""The roster: which reconcilers and indexers work, by what they themselves said last.

Workers don't sign it: they announce themselves to the ledger with each renewal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Signature:
    """One process of a role as it last showed itself."""

    role: str
    """`reconciler` or `indexer`."""
    member: str
    """One life of one process."""
    ago_ms: int
    """How long ago, on the ledger server's wall clock."""
    ahead_ms: int
    """By how much its host's wall clock was ahead of the ledger server's; negative: behind."""


class Roster(Protocol):
    """Who signed, and when. Every method raises Unreachable when no answer came, and may be repeated."""

    def sign(self, role: str, member: str) -> None:
        """This process works."""

    def strike(self, role: str, member: str) -> None:
        """It works no more."""

    def signatures(self) -> tuple[Signature, ...]:
        """All of them, by role and member; those of dead processes stand until somebody strikes them."""
