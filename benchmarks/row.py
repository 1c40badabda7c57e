"""What a benchmark found: a row with our figure, the peer's of the same run, the ratio, the goal, whether it holds.

Figures are in base units everywhere: seconds, jobs a second, bytes, sends. A figure is the median of its samples; p99
is the sample that one in a hundred exceeds (the largest of fewer than a hundred).
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from enum import Enum


class Unit(Enum):
    """What a figure counts."""

    SECONDS = "s"
    PER_SECOND = "/s"
    CPU = " of a cpu"
    BYTES = "B"
    SENDS = "sends"


class Measure(Enum):
    """What a goal bounds."""

    OURS = "ours"
    TAIL = "p99"
    P95 = "p95"
    RATIO = "ours / peer"
    EXCESS = "ours - peer"


@dataclass(frozen=True, slots=True)
class Samples:
    """Raw samples of both sides, in the order in which they were taken; neither is empty."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def tail(self) -> float:
        """Our p99."""
        return self.exceeded_by(1)

    def exceeded_by(self, percent: int) -> float:
        """Our sample that so many in a hundred exceed."""
        ranked = sorted(self.ours)
        return ranked[-1 - len(ranked) * percent // 100]

    @staticmethod
    def median(side: tuple[float, ...]) -> float:
        """The figure of a side."""
        return statistics.median(side)


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on our figure, on our p99 or p95, on the ratio to the peer's, or on what ours is above the peer's."""

    measure: Measure
    bound: float
    at_least: bool = False
    """Whether the bound is the least that will do; else it is the most."""

    def holds(self, samples: Samples) -> bool:
        """Whether these samples meet it; a bound that is just reached is met."""
        ours, peer = samples.median(samples.ours), samples.median(samples.peer)
        reached = {
            Measure.OURS: ours,
            Measure.TAIL: samples.tail,
            Measure.P95: samples.exceeded_by(5),
            Measure.RATIO: _ratio(ours, peer),
            Measure.EXCESS: ours - peer,
        }
        figure = reached[self.measure]
        return figure >= self.bound if self.at_least else figure <= self.bound

    def text(self, unit: Unit) -> str:
        """The goal for people: `ours <= 15 ms`."""
        bound = f"{self.bound:g}" if self.measure is Measure.RATIO else figure_text(self.bound, unit)
        return f"{self.measure.value} {'>=' if self.at_least else '<='} {bound}"


@dataclass(frozen=True, slots=True)
class Row:
    """One benchmark's result. `goal` None: the figure is shown, and nothing is asked of it."""

    name: str
    unit: Unit
    goal: Goal | None
    samples: Samples

    @property
    def ours(self) -> float:
        """Our median."""
        return self.samples.median(self.samples.ours)

    @property
    def peer(self) -> float:
        """The peer's or the floor's median."""
        return self.samples.median(self.samples.peer)

    @property
    def ratio(self) -> float:
        """Ours over the peer's; infinite over nothing."""
        return _ratio(self.ours, self.peer)

    @property
    def holds(self) -> bool | None:
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.goal.holds(self.samples)

    def json(self) -> str:
        """One JSON object on one line, for machines. A ratio over nothing is null: JSON has no infinity."""
        return json.dumps(
            {
                "name": self.name,
                "ours": self.ours,
                "p99": self.samples.tail,
                "peer": self.peer,
                "ratio": self.ratio if self.peer else None,
                "goal": None if self.goal is None else self.goal.text(self.unit),
                "holds": self.holds,
                "samples": {"ours": self.samples.ours, "peer": self.samples.peer},
            },
            allow_nan=False,
        )

    def line(self) -> str:
        """The row of a table, for people; `HEADER` is its head."""
        goal = "-" if self.goal is None else self.goal.text(self.unit)
        holds = {None: "-", True: "yes", False: "NO"}[self.holds]
        ours, peer = figure_text(self.ours, self.unit), figure_text(self.peer, self.unit)
        tail = figure_text(self.samples.tail, self.unit)
        return _COLUMNS.format(self.name, ours, tail, peer, f"{self.ratio:.2f}", goal, holds)


_COLUMNS = "{:<16} {:>12} {:>12} {:>12} {:>8}  {:<24} {}"
HEADER = _COLUMNS.format("name", "ours", "p99", "peer", "ratio", "goal", "holds")


def figure_text(figure: float, unit: Unit) -> str:
    """A figure with a unit that suits its size."""
    if unit is Unit.SECONDS:
        return f"{figure:.3g} s" if abs(figure) >= 1 else f"{figure * 1000:.3g} ms"
    number = f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
    return f"{number}{unit.value}" if unit in (Unit.PER_SECOND, Unit.CPU) else f"{number} {unit.value}"


def _ratio(ours: float, peer: float) -> float:
    return ours / peer if peer else float("inf")
