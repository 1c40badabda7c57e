"""The numbers of this process as Prometheus reads them, with what the kernel says of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import (
    Metric as Family,
)
from prometheus_client.registry import Collector

from hysds.adapters.metrics.memory import Histogram, MemoryMetrics
from hysds.core.metric_names import Kind, Metric

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""Of what `exposition` writes."""


def exposition(metrics: MemoryMetrics) -> Callable[[], bytes]:
    """What writes all of them, each time it is called; any thread may."""
    registry = CollectorRegistry()
    registry.register(_Kept(metrics))
    ProcessCollector(registry=registry)
    return partial(generate_latest, registry)


class _Kept(Collector):
    """Hands on what was kept, as it is when somebody asks."""

    def __init__(self, metrics: MemoryMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Family]:
        for metric in Metric:
            yield self._observed(metric) if metric.value.kind is Kind.HISTOGRAM else self._numbers(metric)

    def _numbers(self, metric: Metric) -> Family:
        shape, numbers = metric.value, dict(self._metrics.numbers(metric))
        is_counter = shape.kind is Kind.COUNTER
        if is_counter and not shape.labels:
            numbers.setdefault((), 0.0)  # an increase from nothing to 1 would be seen by no rate()
        make = CounterMetricFamily if is_counter else GaugeMetricFamily
        family: Family = make(shape.name, shape.help, labels=shape.labels)
        for values, number in sorted(numbers.items()):
            family.add_metric(values, number)  # type: ignore[attr-defined]  # both kinds have it
        return family

    def _observed(self, metric: Metric) -> Family:
        shape = metric.value
        family = HistogramMetricFamily(shape.name, shape.help, labels=shape.labels)
        for values, histogram in sorted(self._metrics.observed(metric).items()):
            family.add_metric(values, _cumulative(shape.buckets, histogram), histogram.total)
        return family


def _cumulative(bounds: tuple[float, ...], histogram: Histogram) -> list[tuple[str, float]]:
    """Prometheus counts in each bucket what lies in those below it, too."""
    upper = [*map(str, bounds), "+Inf"]
    return list(zip(upper, accumulate(histogram.counts), strict=True))
