"""All benchmarks, with the goals that the project has set itself; in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import commands, jobs, ledger, round_trips, store
from benchmarks.row import Goal, Measure, Row, Samples, Unit


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A name to call it by, and what it measures (the sentence is the docstring of `measure`)."""

    name: str
    unit: Unit
    goal: Goal | None
    measure: Callable[[], Samples]

    @property
    def sentence(self) -> str:
        """What is ours and what the peer's."""
        return (self.measure.__doc__ or "").strip()

    def run(self) -> Row:
        """Start what it needs, measure, end all that was started."""
        return Row(self.name, self.unit, self.goal, self.measure())


_S, _RATE, _BYTES, _SENDS = Unit.SECONDS, Unit.PER_SECOND, Unit.BYTES, Unit.SENDS

BENCHMARKS = (
    Benchmark("noop", _S, Goal(Measure.OURS, 0.015), jobs.noop),
    Benchmark("submit_many", _RATE, Goal(Measure.RATIO, 5, at_least=True), jobs.submit),
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
    Benchmark("documents", _RATE, None, store.documents),
)
