"""Whether somebody carries out rules."""

from __future__ import annotations

from hysds.doctor import rules
from hysds.ports.findings import Severity
from hysds.ports.roster import Signature


def _found(enabled: int, behind: int, *signed: Signature) -> list[tuple[str, Severity]]:
    return [(one.code, one.severity) for one in rules.check(enabled, behind, signed)]


AT_WORK, DEAD = Signature("rules", "o/1", 4_000, 0), Signature("rules", "o/0", 16_000, 0)


def test_without_rules_nobody_is_missed() -> None:
    """Most systems have none."""
    assert _found(0, 0) == [("rules.none", Severity.OK)]


def test_rules_that_nobody_carries_out_are_an_error_that_says_what_it_costs() -> None:
    """The stream grows, and says what to start."""
    assert _found(2, 7, DEAD, Signature("indexer", "i", 0, 0)) == [("rules.unheard", Severity.ERROR)]
    [finding] = rules.check(2, 7, (DEAD,))
    assert "2 rules; the ledger keeps 7 events" in finding.what
    assert "hysds worker orchestrator" in finding.mend


def test_rules_that_are_far_behind_are_a_warning() -> None:
    """One orchestrator is too few."""
    assert _found(2, 7, AT_WORK) == [("rules.at_work", Severity.OK)]
    assert _found(2, 10_001, AT_WORK) == [("rules.at_work", Severity.OK), ("rules.lag", Severity.WARNING)]
