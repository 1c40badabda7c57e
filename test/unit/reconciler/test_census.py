"""What a reconciler counts for the metrics."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.ledger.roster_memory import MemoryRoster
from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.core.errors import Unreachable
from hysds.core.floor_requests import Announcement, Drain, Fit
from hysds.core.metric_names import Metric
from hysds.core.requests import Acceptance, Bid, Renewal
from hysds.core.shapes import Capacity
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.ledger import Pulse
from hysds.reconciler.census import Census
from hysds.reconciler.duties import Round
from hysds.reconciler.measuring import Measuring
from hysds.testing import FakeClock


class Shy(MemoryLedger):
    """Does not answer when told."""

    is_away = False
    questions = 0

    def now_ms(self) -> int:
        self.questions += 1
        return super().now_ms()

    def pulse(self) -> Pulse:
        if self.is_away:
            raise Unreachable("ledger", "it is away")
        return super().pulse()


class Bench:
    """A ledger in memory, and what is counted of it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.ledger = Shy(3_600_000, self.clock)
        self.roster = MemoryRoster(self.clock)
        self.metrics = MemoryMetrics()
        self.new_id = Uuid7Source(lambda: self.clock() // 1000)
        self.census = Census(
            self.ledger,
            MemoryEvents(self.ledger),
            self.roster,
            self.metrics,
            lambda: self.clock() / 1e6,
            lambda: self.clock() // 1000,
        )

    def accept(self, queue: str, wait_s: int = 0) -> None:
        wake_ms = self.clock() // 1000 + wait_s * 1000 if wait_s else 0
        self.ledger.accept([Acceptance(self.new_id(), "d", "{}", queue, "1s", wake_ms=wake_ms)])

    def announce(self, name: str, *queues: str) -> None:
        has = {"has": asdict(Capacity(8, 8, 0, 0)), "free": asdict(Capacity(6, 6, 0, 0))}
        said = Announcement("here", name, queues, 8, Fit(now=("1s",)), json.dumps(has))
        self.ledger.renew(Renewal(f"{name}/1", said, (), (), 30_000, 60_000))

    def counted(self) -> MemoryMetrics:
        self.census.count()
        return self.metrics


def test_queues_are_counted_with_the_age_of_their_oldest_job() -> None:
    """Ready, running, waiting for what; and a queue that was emptied shows 0."""
    bench = Bench()
    bench.accept("gpu")
    bench.clock.advance(5)
    bench.accept("gpu")
    bench.accept("cpu", wait_s=60)
    bid = Bid("w/1", ("gpu",), Fit(now=("1s",)), bench.new_id(), 30_000, 60_000)
    bench.announce("w", "gpu")
    assert bench.ledger.claim(bid).lease is not None
    bench.clock.advance(2)

    metrics = bench.counted()

    assert metrics.numbers(Metric.QUEUE_READY) == {("cpu",): 0, ("gpu",): 1}
    assert metrics.numbers(Metric.QUEUE_OLDEST) == {("cpu",): 0, ("gpu",): 2}
    assert metrics.numbers(Metric.QUEUE_RUNNING) == {("cpu",): 0, ("gpu",): 1}
    assert metrics.numbers(Metric.QUEUE_WAITING) == {("cpu", "time"): 1}
    assert metrics.numbers(Metric.JOBS_STARTED) == {(): 1}
    assert metrics.numbers(Metric.JOBS_DUE) == {(): 1}
    assert metrics.numbers(Metric.INDEX_BEHIND) == metrics.numbers(Metric.STREAM_EVENTS) == {(): 4}


def test_workers_are_counted_by_state_with_their_slots() -> None:
    """Who is drained hears no queue any more; every state is told, also with nobody in it."""
    bench = Bench()
    bench.announce("a", "gpu")
    bench.announce("b", "gpu", "cpu")
    bench.ledger.drain(Drain("b", "new kernel"))

    metrics = bench.counted()

    assert metrics.numbers(Metric.WORKERS) == {
        ("idle",): 1,
        ("working",): 0,
        ("draining",): 1,
        ("silent",): 0,
    }
    assert metrics.numbers(Metric.QUEUE_WORKERS) == {("gpu",): 1, ("cpu",): 0}
    assert metrics.numbers(Metric.SLOTS) == {(): 16}
    assert metrics.numbers(Metric.SLOTS_BUSY) == {(): 4}


def test_roles_are_told_by_the_process_that_was_heard_last() -> None:
    """Others of the role may have died long ago."""
    bench = Bench()
    bench.roster.sign("indexer", "a")
    bench.clock.advance(10)
    bench.roster.sign("indexer", "b")
    bench.clock.advance(3)

    assert bench.counted().numbers(Metric.ROLE_HEARD) == {("indexer",): 3}


def test_a_ledger_that_is_away_is_told_and_nothing_else_of_it(caplog: pytest.LogCaptureFixture) -> None:
    """Numbers of a moment ago would be taken for those of now; it is logged once, and all comes back with it."""
    bench = Bench()
    bench.accept("gpu")
    bench.counted()
    bench.ledger.is_away = True
    with caplog.at_level(logging.WARNING):
        bench.counted()
        bench.counted()

    assert bench.metrics.numbers(Metric.LEDGER_UP) == {(): 0}
    assert bench.metrics.numbers(Metric.QUEUE_READY) == {}
    assert bench.metrics.numbers(Metric.LEDGER_SAMPLED) == {}
    assert len(caplog.records) == 1
    bench.ledger.is_away = False
    assert bench.counted().numbers(Metric.LEDGER_UP) == {(): 1}
    assert bench.metrics.numbers(Metric.QUEUE_READY) == {("gpu",): 1}


def test_what_rounds_did_is_summed_by_duty() -> None:
    """Each duty by its name, also one that had nothing to do."""
    metrics = MemoryMetrics()
    measure = Measuring(metrics)

    measure(Round(woken=2, rung=("a", "b")), 0.02)
    measure(Round(woken=1, refused=(Unreachable("ledger", "away"),)), 0.02)

    numbers = metrics.numbers(Metric.DUTIES)
    assert (numbers["woken",], numbers["rung",], numbers["expired",]) == (3, 2, 0)
    assert metrics.numbers(Metric.DUTIES_REFUSED) == {(): 1}
    assert sum(metrics.observed(Metric.ROUND)[()].counts) == 2
