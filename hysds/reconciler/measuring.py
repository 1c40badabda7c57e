"""What a reconciler's rounds did, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hysds.core.metric_names import Metric
from hysds.ports.metrics import Metrics
from hysds.reconciler.duties import Round

_REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Measuring:
    """Called with each round and the seconds that it took. A duty is called as its field of `Round`."""

    metrics: Metrics

    def __call__(self, done: Round, took_s: float) -> None:
        self.metrics.observe(Metric.ROUND, took_s)
        self.metrics.count(Metric.DUTIES_REFUSED, len(done.refused))
        for field in fields(done):
            found = getattr(done, field.name)
            changes = found if isinstance(found, int) else len(found)
            if field.name != _REFUSED:
                self.metrics.count(Metric.DUTIES, changes, duty=field.name)
