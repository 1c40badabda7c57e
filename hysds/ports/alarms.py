"""Where alarms are kept, so that any number of reconcilers share them.

Every method raises Unreachable when no answer came, and may be repeated.
"""

from __future__ import annotations

from typing import Protocol

from hysds.core.alarms import Alarm


class Alarms(Protocol):
    """All alarms of a system, by key; and turns, so that one reconciler at a time tells people of them."""

    def all(self) -> tuple[int, tuple[Alarm, ...]]:
        """The time on the ledger server's wall clock (ms since 1970), and every alarm, by key."""

    def put(self, alarm: Alarm) -> bool:
        """Keep an alarm in place of the one with the revision before it (revision 1: of none); False where another
        stands there.

        A repeat is harmless: where this very alarm stands already, it is True.
        """

    def drop(self, alarm: Alarm) -> bool:
        """Forget an alarm; False where none of that key has this revision."""

    def take_turn(self, name: str, member: str, for_ms: int) -> bool:
        """Whether this member may do what is named, alone, for so long; it may lengthen its own turn, and leave one
        behind that keeps everybody, itself included, from the next (`end_turn`)."""

    def end_turn(self, name: str, member: str, rest_ms: int) -> None:
        """Nobody takes the next turn for so long; nothing where another member has it by now."""
