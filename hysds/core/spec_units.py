"""Sizes, durations and times as people write them in a spec, made numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from hysds.core import json_text
from hysds.core.errors import Complaint
from hysds.lib import units


def plain(document: Mapping[str, Any], kind: type, path: str, complaints: list[Complaint]) -> dict[str, Any]:
    """A copy whose sizes, durations and times are numbers; what can't be read is left out, with a complaint."""
    numbers = dict(document)
    for name, read in _read_fields(kind):
        value = numbers.get(name)
        if value is None:
            continue
        try:
            numbers[name] = read(value)
        except ValueError as error:
            is_negative = type(value) in (int, float) and value < 0
            message = f"can't be negative, as {json_text.shown(value)} is" if is_negative else str(error)
            complaints.append(Complaint(json_text.below(path, name), message))
            del numbers[name]
    return numbers


@cache
def _read_fields(kind: type) -> tuple[tuple[str, Callable[[Any], float]], ...]:
    """The fields that have a unit, each with what reads it."""
    return tuple(
        (item.name, _READERS[item.metadata["unit"]]) for item in fields(kind) if "unit" in item.metadata
    )


def _time(value: object) -> float:
    """Seconds since 1970 of a time with its zone."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return moment.timestamp()
    raise ValueError(f"{json_text.shown(value)} is no time with a zone; write it as 2030-01-31T18:00:00Z")


_READERS: Mapping[str, Callable[[Any], float]] = {
    "size": units.parse_size,
    "duration": units.parse_duration,
    "time": _time,
}
