"""What in the event stream nobody could read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.events import Unreadable
from hysds.ports.findings import Finding


def check(unreadable: Sequence[Unreadable]) -> Iterator[Finding]:
    """The newest first."""
    if unreadable:
        newest = unreadable[0]
        yield findings.warning(
            "roles.unreadable",
            f"{counted(len(unreadable), 'event')} could not be read and stand aside; the newest, {newest.position}: "
            f"{newest.reason}",
            "ledger",
            "only another program, or a newer HySDS, writes such: look for it",
        )
