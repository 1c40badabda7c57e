"""What a reconciler does besides its duties: it shows that it works, and looks at clocks and at who is gone."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hysds.core.errors import HysdsError
from hysds.lib import clocks
from hysds.ports.ledger import Ledger
from hysds.ports.roster import Roster

ROLE = "reconciler"
_GONE_MS = 24 * 3_600_000
"""A signature that is older says nothing to anybody."""
_log = logging.getLogger(__name__)


class Watch:
    """`member` names this life of this process; `wall_ms` is its wall clock."""

    def __init__(
        self, ledger: Ledger, roster: Roster, member: str, wall_ms: Callable[[], int] = clocks.wall_ms
    ) -> None:
        self._ledger = ledger
        self._roster = roster
        self._member = member
        self._wall_ms = wall_ms
        self._clocks_agree = True

    def sign(self) -> None:
        """Raises: Unreachable"""
        self._roster.sign(ROLE, self._member)

    def look_around(self) -> None:
        """Say once when this host's clock and the ledger's disagree, and once when they agree again; strike the dead.

        Raises: Unreachable
        """
        self._compare(clocks.ahead_ms(self._ledger.now_ms, self._wall_ms))
        for one in self._roster.signatures():
            if one.ago_ms > _GONE_MS:
                self._roster.strike(one.role, one.member)

    def leave(self) -> None:
        """Work no more."""
        try:
            self._roster.strike(ROLE, self._member)
        except HysdsError as error:
            _log.info("the roster still names this reconciler: %s", error)

    def _compare(self, ahead_ms: int) -> None:
        agree = abs(ahead_ms) <= clocks.MAY_DIFFER_MS
        if agree != self._clocks_agree:
            self._clocks_agree = agree
            if agree:
                _log.warning("this host's clock and the ledger's agree again")
            else:
                _log.warning(
                    "this host's clock is %s the ledger's: times in documents contradict each other; set the clocks "
                    "of all hosts (NTP)",
                    clocks.told(ahead_ms),
                )
