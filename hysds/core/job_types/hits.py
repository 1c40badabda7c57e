"""What a search finds, in the form that HySDS's interfaces and rules name by paths: `_source.job.params.x`, `_id`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INDEX = "job_status-current"


class Absent(LookupError):
    """A hit has nothing at a path; the message is the path up to what is missing."""


def hit_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The hit that a job's document is, whatever store it comes from."""
    source = {key: value for key, value in document.items() if key != "_id"}
    return {"_index": INDEX, "_id": document["id"], "_source": source}


def at(hit: Mapping[str, Any], path: str) -> Any:
    """What stands at a path; "" is the whole hit. A number in it is a position in a list; any other part of it is
    looked for in each of a list's elements, and gives a list.

    Raises: Absent
    """
    value: Any = hit
    parts = path.split(".") if path else []
    for count, part in enumerate(parts, 1):
        try:
            value = _below(value, part)
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            # A position of thousands of digits, lists in lists a thousand deep: nothing that anybody meant.
            raise Absent(".".join(parts[:count])) from error
    return value


def _below(value: Any, part: str) -> Any:
    if isinstance(value, list):
        return value[int(part)] if part.isdecimal() else [_below(one, part) for one in value]
    if not isinstance(value, dict):
        raise TypeError(part)
    return value[part]
