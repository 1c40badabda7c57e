"""The journal: what happens beside jobs (a worker comes or goes, a rule fires), for whoever writes or acts on it.

It is bounded: told is not kept for ever. When its readers fall behind, the oldest entries are dropped, counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hysds.core.happenings import Happening

__all__ = ["TOLD_ONCE_MS", "Happening", "Journal", "Note"]

TOLD_ONCE_MS = 30_000
"""A happening that was told is not told again for so long, on the server's clock."""


@dataclass(frozen=True, slots=True)
class Note:
    """A happening with its position in the journal; positions grow."""

    position: str
    happening: Happening


class Journal(Protocol):
    """Telling, and reading as one of a group whose members share it. Safe to share between threads; one member reads
    from one thread at a time. Every method raises Unreachable when the journal does not answer."""

    def tell(self, happenings: Sequence[Happening]) -> int:
        """Enter what happened; answers how many were new.

        One whose resource, id and time were told within the last TOLD_ONCE_MS (and among the last 50,000) is not
        entered again, whoever told it; and nothing is where the server has no memory to spare for it: that is counted
        as dropped.
        """

    def turn(self, name: str, before: str, after: str, happenings: Sequence[Happening]) -> bool:
        """Move a mark from one value to another and tell, in one step; False, and nothing is done, where it stands
        elsewhere: another process was first. "" is a mark that is not there.

        After an answer that was lost and a repeat it may answer False for its own turn; told it is once.
        """

    def marks(self) -> Mapping[str, str]:
        """All marks by name."""

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> tuple[Note, ...]:
        """Entries for this member, first those it was given before and never acknowledged, then new ones.

        A group that is not there begins with the oldest entry; unless it may not (`begins`), then there is nothing to
        read. Waits up to `timeout_s` for the first.
        """

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> tuple[Note, ...]:
        """Take over entries that other members were given and left for `idle_s`."""

    def done(self, group: str, positions: Sequence[str]) -> None:
        """These need not be read by the group again."""

    def leave(self, group: str) -> None:
        """The group is no more: nothing is kept for it. Read again, it begins with the oldest entry."""

    def follow(self, after: str, limit: int, timeout_s: float) -> tuple[Note, ...]:
        """Entries behind a position, for a watcher that belongs to no group; "" is before the first."""

    def end(self) -> str:
        """The position of the newest entry, to follow from."""

    def trim(self) -> int:
        """Drop what every group has done with; answers how many entries."""

    def backlog(self, group: str) -> int:
        """How many entries the group has still to do."""

    def dropped(self) -> int:
        """How many entries were ever dropped before every group had done with them."""
