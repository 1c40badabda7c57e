"""What a creator may answer: one job description or a list of them, as JSON, within bounds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may take."""

    time_limit_s: float
    memory_bytes: int
    """Address space of the process that calls the creator."""
    answer_bytes: int
    """Of all descriptions together, as JSON."""
    jobs: int


class Unfit(Exception):
    """An answer that can't be taken; the message says why."""


def encoded(answer: object, jobs: int, answer_bytes: int) -> bytes:
    """A list of descriptions as JSON.

    Raises: Unfit
    """
    listed = answer if isinstance(answer, list | tuple) else [answer]
    if len(listed) > jobs:
        raise Unfit(f"returned {len(listed):,} jobs; at most {jobs:,} are taken of one call (creators.jobs)")
    for position, job in enumerate(listed):
        if not isinstance(job, dict):
            place = f", at position {position}," if isinstance(answer, list | tuple) else ""
            raise Unfit(
                f"returned {type(job).__name__}{place} where a job is a dictionary, as in "
                '{"type": "word-count", "params": {}}'
            )
    try:
        text = json.dumps(listed, allow_nan=False, separators=(",", ":")).encode()
    except RecursionError:
        raise Unfit("returned what JSON can't hold: it is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise Unfit(f"returned what JSON can't hold: {error}") from None
    if len(text) > answer_bytes:
        raise Unfit(
            f"returned {len(text):,} bytes of JSON; at most {answer_bytes:,} are taken (creators.answer)"
        )
    return text


def decoded(text: bytes) -> list[dict[str, Any]]:
    """The list that `encoded` wrote.

    Raises: ValueError
    """
    found: list[dict[str, Any]] = json.loads(text)
    return found
