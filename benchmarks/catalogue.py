"""All benchmarks, with the goals that the project has set itself; in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import (
    commands,
    indexing,
    jobs,
    ledger,
    limits,
    load,
    recovery,
    round_trips,
    searching,
    store,
    tasks,
)
from benchmarks.row import Goal, Measure, Row, Samples, Unit


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A name to call it by, and what it measures (the sentence is the first line of `measure`'s docstring)."""

    name: str
    unit: Unit
    goal: Goal | None
    measure: Callable[[], Samples]
    is_long: bool = False
    """It takes many minutes, and runs only where it is named."""

    @property
    def sentence(self) -> str:
        """What is ours and what the peer's."""
        return (self.measure.__doc__ or "").strip().partition("\n")[0]

    def run(self) -> Row:
        """Start what it needs, measure, end all that was started."""
        return Row(self.name, self.unit, self.goal, self.measure())


_S, _RATE, _BYTES, _SENDS = Unit.SECONDS, Unit.PER_SECOND, Unit.BYTES, Unit.SENDS
_LEASE_S = 30.0

BENCHMARKS = (
    Benchmark("noop", _S, Goal(Measure.OURS, 0.015), jobs.noop),
    Benchmark("submit_many", _RATE, Goal(Measure.RATIO, 5, at_least=True), jobs.submit),
    Benchmark("fan_out", _S, Goal(Measure.RATIO, 1.2), jobs.fan_out),
    Benchmark("output", _S, Goal(Measure.EXCESS, 0.3), jobs.output),
    Benchmark("run", _S, Goal(Measure.OURS, 3), commands.run),
    Benchmark("round_trips", _SENDS, Goal(Measure.OURS, 4), round_trips.ledger),
    Benchmark("broker_trips", _SENDS, None, round_trips.broker),
    Benchmark("memory", _BYTES, Goal(Measure.OURS, 1500), ledger.queued_memory),
    Benchmark("memory_ended", _BYTES, None, ledger.ended_memory),
    Benchmark("import", _S, Goal(Measure.EXCESS, 0.05), commands.import_),
    Benchmark("help", _S, Goal(Measure.OURS, 0.1), commands.help_),
    Benchmark("accept", _RATE, None, ledger.accept),
    Benchmark("turns", _RATE, None, ledger.turns),
    Benchmark("limit_place", _S, Goal(Measure.OURS, 0.010), limits.place),
    Benchmark("killed_worker", _S, Goal(Measure.TAIL, 5), recovery.killed_worker),
    Benchmark("killed_host", _S, Goal(Measure.TAIL, _LEASE_S + 3), recovery.killed_host),
    Benchmark("resubmit", _S, Goal(Measure.TAIL, 0.05), recovery.resubmit),
    Benchmark("cancel_running", _S, Goal(Measure.TAIL, 1), recovery.cancel_running),
    Benchmark("cancel_queued", _S, Goal(Measure.OURS, 1), recovery.cancel_queued),
    Benchmark("redis_2_slots", _RATE, None, load.named(load.sustained, 2, False)),
    Benchmark("redis_8_slots", _RATE, None, load.named(load.sustained, 8, False)),
    Benchmark("rabbit_2_slots", _RATE, None, load.named(load.sustained, 2, True)),
    Benchmark("rabbit_8_slots", _RATE, None, load.named(load.sustained, 8, True)),
    Benchmark("durable", _RATE, None, load.durable),
    Benchmark("deep_queue", _RATE, Goal(Measure.RATIO, 0.9, at_least=True), load.deep_queue),
    Benchmark("idle_memory", _BYTES, Goal(Measure.RATIO, 1.3), load.idle_memory),
    Benchmark("idle_cpu", Unit.CPU, Goal(Measure.RATIO, 1.5), load.idle_cpu),
    Benchmark("task_round_trip", _S, Goal(Measure.RATIO, 1.5), tasks.on(False, tasks.round_trip)),
    Benchmark(
        "task_throughput", _RATE, Goal(Measure.RATIO, 1.0, at_least=True), tasks.on(False, tasks.throughput)
    ),
    Benchmark("rabbit_task_trip", _S, Goal(Measure.RATIO, 1.5), tasks.on(True, tasks.round_trip)),
    Benchmark(
        "rabbit_task_rate", _RATE, Goal(Measure.RATIO, 1.0, at_least=True), tasks.on(True, tasks.throughput)
    ),
    Benchmark("documents", _RATE, Goal(Measure.OURS, 10_000, at_least=True), store.documents),
    Benchmark("indexed", _RATE, None, indexing.indexed),
    Benchmark("drained", _RATE, None, indexing.drained),
    Benchmark("elastic_writes", _RATE, Goal(Measure.RATIO, 2.5, at_least=True), searching.elastic_writes),
    Benchmark("elastic_indexer", _RATE, Goal(Measure.OURS, 3_000, at_least=True), searching.elastic_rate),
    Benchmark("searchable", _S, Goal(Measure.TAIL, 1.5), searching.searchable),
    Benchmark("elastic_search", _S, Goal(Measure.P95, 0.05), searching.elastic_search, is_long=True),
    Benchmark("sqlite_search", _S, Goal(Measure.P95, 0.05), searching.sqlite_search, is_long=True),
)
