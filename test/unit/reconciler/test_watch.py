"""What a reconciler shows of itself, and what it says of clocks."""

from __future__ import annotations

import logging

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.roster_memory import MemoryRoster
from hysds.core.errors import Unreachable
from hysds.reconciler.watch import Watch
from hysds.testing import FakeClock


class Bench:
    """A ledger and a roster on one clock, and a host's clock that can be wrong."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.wrong_ms = 0
        self.roster = MemoryRoster(self.clock)
        self.watch = Watch(
            MemoryLedger(1000, self.clock), self.roster, "r/1", lambda: self.clock() // 1000 + self.wrong_ms
        )

    def members(self) -> list[str]:
        return [one.member for one in self.roster.signatures()]


def test_clocks_that_disagree_are_told_once_and_so_is_their_agreement(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """2 s and more, ahead or behind; the line names the way out."""
    bench = Bench()
    with caplog.at_level(logging.INFO):
        for wrong_ms in (0, 2_000, 3_600_000, 3_600_000, 0, -5_000):
            bench.wrong_ms = wrong_ms
            bench.watch.look_around()

    told = [record.message.split(";")[0].split(":")[0] for record in caplog.records]
    assert told == [
        "this host's clock is 3600.0 s ahead of the ledger's",
        "this host's clock and the ledger's agree again",
        "this host's clock is 5.0 s behind the ledger's",
    ]


def test_a_reconciler_signs_the_roster_until_it_leaves() -> None:
    """So that somebody who looks knows whether one works."""
    bench = Bench()
    bench.watch.sign()
    assert bench.members() == ["r/1"]

    bench.watch.leave()

    assert bench.members() == []


def test_those_who_died_long_ago_are_struck_from_the_roster() -> None:
    """A process that was killed strikes nothing itself."""
    bench = Bench()
    bench.roster.sign("indexer", "i/1")
    bench.clock.advance(23 * 3600)
    bench.watch.look_around()
    assert bench.members() == ["i/1"]

    bench.clock.advance(2 * 3600)
    bench.watch.look_around()

    assert bench.members() == []


class Away(MemoryRoster):
    """It does not answer."""

    def strike(self, role: str, member: str) -> None:
        raise Unreachable("ledger", "away")


def test_a_reconciler_leaves_also_while_the_ledger_is_away() -> None:
    """Its end may not fail over a courtesy."""
    clock = FakeClock()
    Watch(MemoryLedger(1000, clock), Away(clock), "r/1").leave()
