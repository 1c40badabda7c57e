"""Whether somebody reconciles and indexes."""

from __future__ import annotations

from hysds.doctor import roles
from hysds.ports.findings import Severity
from hysds.ports.roster import Signature


def _found(*signed: Signature, lag: int = 0) -> list[tuple[str, Severity, str]]:
    return [
        (one.code, one.severity, one.what) for one in roles.check(signed, lag) if one.severity > Severity.OK
    ]


RECONCILER, INDEXER = Signature("reconciler", "r/1", 900, 0), Signature("indexer", "i/1", 5_000, 0)


def test_one_of_each_is_enough() -> None:
    """Nothing is wrong then."""
    assert _found(RECONCILER, INDEXER) == []
    assert [one.what for one in roles.check((RECONCILER, INDEXER), 1)] == [
        "1 reconciler at work",
        "1 indexer at work",
        "1 event not yet written to the store",
    ]


def test_a_role_that_nobody_fills_is_an_error_that_says_what_is_not_done() -> None:
    """One that died a minute ago is told as long as it is away."""
    found = _found(INDEXER, Signature("reconciler", "r/0", 61_000, 0))

    assert [(code, severity) for code, severity, _ in found] == [("roles.reconciler", Severity.ERROR)]
    assert "none was seen for 61 s" in found[0][2]
    assert "lost leases do not come back" in found[0][2]


def test_events_that_pile_up_are_a_warning() -> None:
    """A dead indexer's lag, or one that is too slow."""
    assert [code for code, _, _ in _found(RECONCILER, INDEXER, lag=20_000)] == ["roles.lag"]


def test_a_host_whose_clock_is_off_is_named() -> None:
    """By the process that measured it there."""
    [(code, _, what)] = _found(RECONCILER, Signature("indexer", "i/1", 0, -7_200_000))

    assert code == "roles.clock"
    assert "7200.0 s behind" in what
