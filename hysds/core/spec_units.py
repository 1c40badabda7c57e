"""Sizes, durations and times as people write them in a spec, made numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from hysds.core import json_text
from hysds.core.budgets import TEN_YEARS_S
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


def _end(value: object) -> float:
    """Seconds until then, or, above ten years, since 1970: no time that a job could still keep lies before 1980."""
    if not isinstance(value, str):
        return _within_ten_years(units.parse_duration(value))  # type: ignore[arg-type]  # it says what is wrong
    try:
        moment_s = _time(value)
    except ValueError:
        return _within_ten_years(_duration_or_time(value))
    if moment_s <= TEN_YEARS_S:
        raise ValueError(f"{json_text.shown(value)} lies in the past")
    return moment_s


def _duration_or_time(value: str) -> float:
    try:
        return units.parse_duration(value)
    except ValueError:
        raise ValueError(
            f"{json_text.shown(value)} is neither a duration, such as 2h30m, nor a time with a zone, such as "
            "2030-01-31T18:00:00Z"
        ) from None


def _within_ten_years(duration_s: float) -> float:
    if not 0 < duration_s <= TEN_YEARS_S:
        raise ValueError(f"is a duration of more than nothing and at most 10 years, not {duration_s:g} s")
    return duration_s


_READERS: Mapping[str, Callable[[Any], float]] = {
    "size": units.parse_size,
    "duration": units.parse_duration,
    "time": _time,
    "end": _end,
}
