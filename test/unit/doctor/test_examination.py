"""Looking at parts that answer, refuse, break and hang."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from hysds.core.errors import Refused, Unreachable
from hysds.doctor.examination import examine
from hysds.ports import findings
from hysds.ports.findings import Finding, Severity


def _fine() -> Iterator[Finding]:
    yield findings.ok("a.fine", "fine")
    yield findings.note("a.note", "note")


def _away() -> Iterator[Finding]:
    raise Unreachable("ledger", "away")


def _refuses() -> Iterator[Finding]:
    raise Refused("not like this")


def _breaks() -> Iterator[Finding]:
    raise ZeroDivisionError("0")


def test_each_part_costs_its_own_finding_and_no_other() -> None:
    """In the order that they were asked in, whatever became of each; only those that are away count as such."""
    parts = examine({"a": _fine, "b": _away, "c": _refuses, "d": _breaks}, 5)

    assert [(part.name, part.worst, part.is_reachable) for part in parts] == [
        ("a", Severity.NOTE, True),
        ("b", Severity.ERROR, False),
        ("c", Severity.ERROR, True),
        ("d", Severity.ERROR, True),
    ]
    assert [part.found[0].code for part in parts] == ["a.fine", "b.unreachable", "c.refused", "d.defect"]
    assert "ZeroDivisionError" in parts[3].found[0].what


def test_a_part_that_hangs_is_left_behind() -> None:
    """It is told as unreachable, and the others are told in full."""
    never = threading.Event()

    def hangs() -> Iterator[Finding]:
        never.wait()
        yield findings.ok("h.late", "late")

    parts = examine({"hangs": hangs, "a": _fine}, 0.05)
    never.set()

    assert [part.is_reachable for part in parts] == [False, True]
    assert "no answer within" in parts[0].found[0].what
