"""Which combinations of labels a metric has: few enough for whoever stores them, whatever users call their types.

The first combinations that come are kept. What comes when there is no more room has its open labels replaced by OTHER.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from hysds.core import clip
from hysds.core.metric_names import OPEN, Fold, Kind, Metric

MAX_SERIES = 300
"""Combinations of labels that one metric has at most; those with OTHER are as many again at most, and one."""

OTHER = "(other)"
"""Stands for all values of an open label for which there was no room."""

_MAX_VALUE = 120
"""Characters of a label's value."""

Values = tuple[str, ...]
"""The values of a metric's labels, in the table's order."""


class Series:
    """The combinations that one metric has. Whoever calls holds a lock."""

    def __init__(self, metric: Metric, most: int = MAX_SERIES) -> None:
        self._shape = metric.value
        self._most = most
        self._known: set[Values] = set()

    def admit(self, values: Values) -> Values:
        """The combination under which these are kept."""
        if values in self._known:
            return values
        values = tuple(map(_sound, values))
        if values in self._known or len(self._known) < self._most:
            self._known.add(values)
            return values
        self._known.add(placed := self._others(values, len(self._known)))
        return placed

    def folded(self, rows: Mapping[Values, float]) -> dict[Values, float]:
        """The rows of a gauge at one moment: the greatest, and of the others the sum or the maximum."""
        kept: dict[Values, float] = {}
        for values, number in sorted(rows.items(), key=lambda row: -row[1]):
            sound = tuple(map(_sound, values))
            place = sound if sound in kept or len(kept) < self._most else self._others(sound, len(kept))
            before = kept.get(place)
            if before is None:
                kept[place] = number
            else:
                kept[place] = before + number if self._shape.fold is Fold.SUM else max(before, number)
        return kept

    def _others(self, values: Values, there_are: int) -> Values:
        """A worker's word may stand in a closed label too: twice the room is the end of it."""
        if there_are >= 2 * self._most:
            return (OTHER,) * len(values)
        return tuple(
            OTHER if label in OPEN else value for label, value in zip(self._shape.labels, values, strict=True)
        )


def values(metric: Metric, labels: Mapping[str, str]) -> Values:
    """The labels' values in the table's order.

    Raises: ValueError where these are not the metric's labels.
    """
    names = metric.value.labels
    if len(labels) != len(names):
        raise ValueError(f"{metric.value.name} has the labels {', '.join(names) or 'none'}")
    try:
        return tuple([labels[name] for name in names])
    except KeyError as missing:
        raise ValueError(f"{metric.value.name} needs the label {missing.args[0]}") from None


def check(metric: Metric, kind: Kind) -> None:
    """Raises: ValueError where a metric is no such thing."""
    if metric.value.kind is not kind:
        raise ValueError(f"{metric.value.name} is a {metric.value.kind}, no {kind}")


def is_number(value: float) -> bool:
    """Whether this can be told: neither infinite nor no number at all."""
    return math.isfinite(value)


def _sound(value: str) -> str:
    text = clip.encodable(value)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"
