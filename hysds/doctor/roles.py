"""Whether a reconciler and an indexer work, by the roster, and how far behind the documents are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hysds.lib import clocks
from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.findings import Finding
from hysds.ports.roster import Signature

SILENT_MS = 15_000
"""Reconcilers sign once a round (2 s at most), indexers each 5 s while they reach everything."""
_BEHIND = 10_000
"""Events: some seconds of work for one indexer."""
_LACKS = {
    "reconciler": "waiting jobs do not start in time, lost leases do not come back, ended jobs are not forgotten",
    "indexer": "`hysds jobs` and dashboards stand still; nothing is lost, it is written later",
}


def check(signed: Sequence[Signature], lag: int) -> Iterator[Finding]:
    """All that was found. `lag`: events that are not yet written to the store."""
    for role, lack in _LACKS.items():
        yield from _role(role, lack, [one for one in signed if one.role == role])
    if lag > _BEHIND:
        yield findings.warning(
            "roles.lag",
            f"{counted(lag, 'event')} not yet written to the store",
            "indexer",
            "start more: hysds indexer",
        )
    else:
        yield findings.ok("roles.lag", f"{counted(lag, 'event')} not yet written to the store")


def _role(role: str, lack: str, signed: Sequence[Signature]) -> Iterator[Finding]:
    alive = [one for one in signed if one.ago_ms <= SILENT_MS]
    if alive:
        yield findings.ok(f"roles.{role}", f"{counted(len(alive), role)} at work")
    else:
        last = min((one.ago_ms for one in signed), default=None)
        seen = "none was ever seen" if last is None else f"none was seen for {last // 1000} s"
        yield findings.error(
            f"roles.{role}", f"no {role} works ({seen}): {lack}", role, f"start one: hysds {role}"
        )
    for one in alive:
        if abs(one.ahead_ms) > clocks.MAY_DIFFER_MS:
            yield findings.warning(
                "roles.clock",
                f"the clock of its host is {clocks.told(one.ahead_ms)} the ledger's",
                f"{role} {one.member}",
                "set the clocks of all hosts by NTP (chrony, systemd-timesyncd)",
            )
