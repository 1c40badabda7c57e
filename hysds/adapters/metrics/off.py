"""Nobody reads: nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping

from hysds.core.metric_names import Metric
from hysds.core.metric_series import Values


class NoMetrics:
    """Takes everything and keeps nothing."""

    is_on = False

    def count(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """Nobody counts."""

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """Nobody looks."""

    def gauge(self, metric: Metric, value: float, **labels: str) -> None:
        """Nobody looks."""

    def table(self, metric: Metric, rows: Mapping[Values, float]) -> None:
        """Nobody looks."""
