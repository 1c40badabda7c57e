"""The event stream: every transition, in order, appended in the same step that made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hysds.core.requests import Event


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its position in the stream; positions grow."""

    position: str
    event: Event


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry that nobody can read: it was set aside, so that it holds up nobody."""

    position: str
    reason: str
    text: str
    """What it is, cut, for people."""
    at_ms: int
    """Wall ms when somebody came across it."""


class Events(Protocol):
    """Reading the stream, alone or as one of a group whose members share it. An entry that can't be read is in no
    answer."""

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> tuple[Entry, ...]:
        """Entries for this member, first those it was given before and never acknowledged, then new ones.

        A group that is not there begins at the start of the stream; unless it may not (`begins`), then there is
        nothing to read. Waits up to `timeout_s` for the first.
        """

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> tuple[Entry, ...]:
        """Take over entries that other members were given and left for `idle_s`."""

    def done(self, group: str, positions: Sequence[str]) -> None:
        """These need not be read by the group again."""

    def follow(self, after: str, limit: int, timeout_s: float) -> tuple[Entry, ...]:
        """Entries behind a position, for a watcher that belongs to no group."""

    def end(self) -> str:
        """The position of the newest entry, to follow from."""

    def trim(self) -> int:
        """Drop what every group has done with; answers how many entries."""

    def backlog(self, group: str) -> int:
        """How many entries the group has still to do."""

    def depth(self) -> int:
        """How many entries there are, whoever has done with them."""

    def unreadable(self, limit: int) -> tuple[Unreadable, ...]:
        """Entries that groups came across and could not read, the newest first; the first thousand are kept."""
