"""What a process tells of its own work in numbers. It costs no round trip: numbers stay here until somebody reads them.

Every method raises ValueError where the table has no such metric with such labels, and leaves out what is no finite
number. Any thread may call; a call takes microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hysds.core.metric_names import Metric
from hysds.core.metric_series import Values


class Metrics(Protocol):
    """Numbers of this process."""

    @property
    def is_on(self) -> bool:
        """Whether anybody can read them; where not, whoever would have to work for a number need not."""

    def count(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """Add to a counter; an amount below 0 is left out."""

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """Count a value into a histogram."""

    def gauge(self, metric: Metric, value: float, **labels: str) -> None:
        """What a gauge is now."""

    def table(self, metric: Metric, rows: Mapping[Values, float]) -> None:
        """All that a gauge is now, by the values of its labels in the table's order; other rows of it are gone."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process answers who asks for its metrics."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """What to fetch."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"


class Endpoint(Protocol):
    """Where the metrics of this process are read."""

    @property
    def address(self) -> Address | None:
        """None: it has no port yet, and tries again."""

    def close(self) -> None:
        """Answer nobody any more."""
