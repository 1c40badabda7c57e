"""The single values inside a document's params and context, as pairs of path and text: what `core.where` looks at.

A path is the keys joined by dots, `params.` or `context.` first; of a list, every item stands at the list's own path.
A text is itself, a number and a truth value their JSON. So any payload has the same few kinds of values, whatever keys
and types it brings, and no value of one job can be in the way of another's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hysds.core import clip

MAX_LEAVES = 1_000
"""Values of one document that are looked at, in the order of the document, its params first."""

MAX_PATH_LENGTH = 512
"""Characters; a value at a longer path is not looked at."""

MAX_VALUE_LENGTH = 1_024
"""Characters; a longer value is found by so many of its first."""

MAX_LEAF_CHARACTERS = 262_144
"""Characters of paths and values of one document together."""

ROOTS = ("params", "context")


def leaves(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The different (path, text) of a document, in its order; found without recursion, it may be nested deeply."""
    job = document.get("job")
    if not isinstance(job, dict):
        return ()
    found: dict[tuple[str, str], None] = {}
    room = MAX_LEAF_CHARACTERS
    for path, value in _values([(root, job.get(root)) for root in reversed(ROOTS)]):
        leaf = clip.encodable(path), clip.encodable(value[:MAX_VALUE_LENGTH])
        if len(path) > MAX_PATH_LENGTH or leaf in found:
            continue
        room -= len(path) + len(leaf[1])
        if room < 0 or len(found) == MAX_LEAVES:
            break
        found[leaf] = None
    return tuple(found)


def text_of(value: Any) -> str | None:
    """The text by which a single value is found; None for what is no single value (null, lists, objects)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else None


def _values(left: list[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Single values below these, the last first."""
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left.extend((f"{path}.{key}", item) for key, item in reversed(value.items()))
        elif isinstance(value, list | tuple):
            left.extend((path, item) for item in reversed(value))
        elif (text := text_of(value)) is not None and path not in ROOTS:
            yield path, text
