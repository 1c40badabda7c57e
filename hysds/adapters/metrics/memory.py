"""The numbers of this process, as they are: what was counted, observed and set. All under one lock."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from hysds.core import metric_series
from hysds.core.metric_names import Kind, Metric
from hysds.core.metric_series import Series, Values


@dataclass(frozen=True, slots=True)
class Histogram:
    """What was observed under one combination of labels."""

    counts: tuple[int, ...]
    """By bucket, the one without an upper bound last; not cumulative."""
    total: float
    """The sum of all values."""


class MemoryMetrics:
    """Keeps them."""

    is_on = True

    def __init__(self, most: int = metric_series.MAX_SERIES) -> None:
        """`most`: combinations of labels of one metric."""
        self._lock = threading.Lock()
        self._series = {metric: Series(metric, most) for metric in Metric}
        self._numbers: dict[Metric, dict[Values, float]] = {metric: {} for metric in Metric}
        self._observed: dict[Metric, dict[Values, _Observed]] = {metric: {} for metric in Metric}

    def count(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        metric_series.check(metric, Kind.COUNTER)
        values = metric_series.values(metric, labels)
        if not metric_series.is_number(amount) or amount < 0:
            return
        with self._lock:
            numbers, place = self._numbers[metric], self._series[metric].admit(values)
            numbers[place] = numbers.get(place, 0) + amount

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        metric_series.check(metric, Kind.HISTOGRAM)
        values = metric_series.values(metric, labels)
        if not metric_series.is_number(value):
            return
        with self._lock:
            observed, place = self._observed[metric], self._series[metric].admit(values)
            if place not in observed:
                observed[place] = _Observed(metric.value.buckets)
            observed[place].add(value)

    def gauge(self, metric: Metric, value: float, **labels: str) -> None:
        metric_series.check(metric, Kind.GAUGE)
        values = metric_series.values(metric, labels)
        if not metric_series.is_number(value):
            return
        with self._lock:
            self._numbers[metric][self._series[metric].admit(values)] = value

    def table(self, metric: Metric, rows: Mapping[Values, float]) -> None:
        metric_series.check(metric, Kind.GAUGE)
        width = len(metric.value.labels)
        if any(len(values) != width for values in rows):
            raise ValueError(f"{metric.value.name} has {width} labels")
        sound = {values: number for values, number in rows.items() if metric_series.is_number(number)}
        with self._lock:
            self._numbers[metric] = self._series[metric].folded(sound)

    def numbers(self, metric: Metric) -> Mapping[Values, float]:
        """A counter's or gauge's, by the values of its labels."""
        with self._lock:
            return dict(self._numbers[metric])

    def observed(self, metric: Metric) -> Mapping[Values, Histogram]:
        """A histogram's, likewise."""
        with self._lock:
            return {values: one.frozen() for values, one in self._observed[metric].items()}


class _Observed:
    """A histogram that grows."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def frozen(self) -> Histogram:
        return Histogram(tuple(self._counts), self._total)
