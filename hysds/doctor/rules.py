"""Whether somebody carries out the published rules, and how far behind they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.findings import Finding
from hysds.ports.roster import Signature

SILENT_MS = 15_000
"""Whoever carries out rules signs each 5 s while the ledger answers."""
_ROLE = "rules"
_BEHIND = 10_000
"""Events: some minutes of work, if every one of them fires."""
_MEND = "start one: hysds worker orchestrator; or do without them: hysds rules disable NAME"


def check(enabled: int, behind: int, signed: Sequence[Signature]) -> Iterator[Finding]:
    """All that was found. `enabled`: how many rules are; `behind`: entries that they have still to see."""
    if not enabled:
        yield findings.ok("rules.none", "no rule is enabled")
        return
    alive = [one for one in signed if one.role == _ROLE and one.ago_ms <= SILENT_MS]
    rules, waiting = counted(enabled, "rule"), counted(behind, "event")
    if alive:
        yield findings.ok("rules.at_work", f"{rules}, carried out by {counted(len(alive), 'orchestrator')}")
    else:
        what = f"nobody carries out {rules}; the ledger keeps {waiting} for them, and more with each job"
        yield findings.error("rules.unheard", what, "orchestrator", _MEND)
    if alive and behind > _BEHIND:
        what = f"rules are {waiting} behind, which the ledger keeps for them"
        yield findings.warning("rules.lag", what, "orchestrator", "start more: hysds worker orchestrator")
