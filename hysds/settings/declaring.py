"""How a section of the settings declares a field: its bounds, or the grammar of its name."""

from __future__ import annotations

from dataclasses import field
from typing import TypeVar

_T = TypeVar("_T")


def bounded(default: _T, least: float | None = None, most: float | None = None) -> _T:
    """A field whose value, in seconds, bytes or as a number, lies between both, ends included."""
    return field(default=default, metadata={"least": least, "most": most})


def names(pattern: str, what: str, rule: str) -> dict[str, str]:
    """Of a field that names something: its grammar, and that in words."""
    return {"pattern": pattern, "rule": f"can't name a {what}: {rule}"}
