"""How large the parts of a document may be, and how what is larger is cut: visibly, with a note."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_ERROR = 8_000
MAX_TRACEBACK = 64_000
MAX_MESSAGES = 100
"""Characters of an error, of a traceback; entries of a list of messages."""

MAX_PART = 256_000
"""Characters of JSON of one part that a job wrote itself: its metrics, its facts."""

SHORT = 35
"""Characters of a `short_error`."""

_MAX_DEPTH = 20
INT64 = 1 << 63
"""Whole numbers of stores lie below, and not below its negative."""


def clipped(text: str, most: int) -> str:
    """The text, or its first `most` characters with a note of how many are left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… [{len(text) - most} characters left out; the job's files have the whole]"


def short(text: str) -> str:
    """At most 35 characters: HySDS's form, the first 20 and the last 10 around five dots."""
    return text if len(text) <= SHORT else f"{text[:20]}.....{text[-10:]}"


def encodable(text: str) -> str:
    """The text with half characters (lone surrogates), which UTF-8 can't carry, as question marks."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def sound(value: Any, depth: int = 0) -> Any:
    """JSON that every store can hold: no half characters, no nan, no depth above 20; -1 for what needs over 64 bits."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if -INT64 <= value < INT64 else -1
    if depth >= _MAX_DEPTH and isinstance(value, dict | list):
        return "[nested too deeply]"
    if isinstance(value, dict):
        return {encodable(str(key)): sound(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [sound(item, depth + 1) for item in value]
    return value


def part(value: dict[str, Any]) -> dict[str, Any]:
    """A part that a job wrote itself, made sound; one that is too large is replaced by a note."""
    kept: dict[str, Any] = sound(value)
    size = len(json.dumps(kept))
    return kept if size <= MAX_PART else {"note": f"left out: {size} characters; the job's files have it"}
