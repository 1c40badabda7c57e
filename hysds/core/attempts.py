"""An attempt as the document lists it, and what its worker said of it.

A worker's detail is JSON with these keys, each of which may be missing: `exit_code signum pid error short_error
traceback hint phase phases job_dir job_url execute_node cmd_start cmd_end metrics facts msg msg_details notes
usage stdout_tail stderr_tail memory_bytes`. Times are seconds since 1970; `phases` is a list of {name, start, end};
`notes` are lines that HySDS adds itself; `usage` holds `cpu_s` and `max_rss_bytes`; the tails are the last of what the
command wrote, `memory_bytes` what it was allowed to hold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from hysds.core import clip, moments, status
from hysds.core.record import Attempt, Record

MAX_LISTED = 50
"""Attempts in one document: the newest; a job that is preempted without end has more."""

MAX_LIST = 512_000
"""Characters of JSON of all attempts of one document; beyond it older ones are shown with their bare facts."""

MAX_TAIL = 2_000
"""Characters of a stream's end."""

_CLASSES = frozenset(failure.value for failure in status.FailureClass)
_NUMBERS = ("exit_code", "signum", "pid", "memory_bytes")
_FACTS = (
    "attempt",
    "fence",
    "worker",
    "started",
    "ended",
    "how",
    "failure",
    "exit_code",
    "signum",
    "short_error",
)
_TEXTS = ("phase", "hint", "job_dir", "execute_node")


def detail(attempt: Attempt) -> Mapping[str, Any]:
    """What the worker said of the attempt; empty where none could tell.

    Raises: ValueError where it is not a JSON object.
    """
    if not attempt.detail:
        return {}
    said = json.loads(attempt.detail)
    if not isinstance(said, dict):
        raise ValueError(f"the detail of the attempt with fence {attempt.fence} is no JSON object")
    return said


def listed(record: Record, attempts: Sequence[Attempt], last: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The document's attempts, oldest first, the running one included; it has no `ended`.

    `last` is what was said of the last ended one, or empty.
    """
    first = max(len(attempts) - MAX_LISTED, 0)
    entries = [
        _entry(at + 1, attempts[at], last if last and at + 1 == len(attempts) else detail(attempts[at]))
        for at in range(first, len(attempts))
    ]
    if record.status is status.Status.STARTED:
        running = {"fence": record.fence, "worker": record.owner, "started": moments.iso(record.started_ms)}
        entries.append({"attempt": len(attempts) + 1, **running})
    return _bounded(entries)


def _bounded(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest in full as far as there is room, of the others the facts."""
    room, kept = MAX_LIST, []
    for entry in reversed(entries):
        room -= len(json.dumps(entry, ensure_ascii=False))
        bare = {name: entry[name] for name in _FACTS if name in entry}
        kept.append(
            entry if room >= 0 else {**bare, "notes": ["the rest is left out: too much for a document"]}
        )
    return kept[::-1]


def phase_seconds(entry: Mapping[str, Any]) -> dict[str, float]:
    """How long each phase of a listed attempt took; one that came twice is summed."""
    seconds: dict[str, float] = {}
    for phase in entry.get("phases", ()):
        seconds[phase["name"]] = round(seconds.get(phase["name"], 0.0) + phase["duration"], 6)
    return seconds


def text(said: Mapping[str, Any], key: str, most: int = clip.MAX_ERROR) -> str:
    """A text that the worker gave, cut; "" where it gave none."""
    value = said.get(key)
    return clip.clipped(clip.encodable(value), most) if isinstance(value, str) else ""


def number(said: Mapping[str, Any], key: str) -> int | float | None:
    """A finite number that the worker gave, or None."""
    value = said.get(key)
    if type(value) is int:
        return value if abs(value) < clip.INT64 else None
    return value if type(value) is float and math.isfinite(value) else None


def lines(said: Mapping[str, Any], key: str) -> list[str]:
    """The texts of a list that the worker gave, each cut, and no more than MAX_MESSAGES of them."""
    value = said.get(key)
    texts = [line for line in value if isinstance(line, str)] if isinstance(value, list) else []
    return [clip.clipped(clip.encodable(line), clip.MAX_ERROR) for line in texts[: clip.MAX_MESSAGES]]


def time(said: Mapping[str, Any], key: str) -> str:
    """A time that the worker gave in seconds since 1970, as documents write it; "" where it gave none."""
    seconds = number(said, key)
    return "" if seconds is None else moments.iso(round(seconds * 1000))


def without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that say something: neither None nor ""."""
    return {key: value for key, value in values.items() if value is not None and value != ""}


def _entry(number_: int, attempt: Attempt, said: Mapping[str, Any]) -> dict[str, Any]:
    error = text(said, "error")
    values = {
        "attempt": number_,
        "fence": attempt.fence,
        "worker": attempt.owner,
        "started": moments.iso(attempt.started_ms),
        "ended": moments.iso(attempt.ended_ms),
        "how": attempt.how,
        "failure": attempt.how if attempt.how in _CLASSES else None,
        "error": error,
        "short_error": clip.short(text(said, "short_error") or error),
        "phases": _phases(said) or None,
        "notes": lines(said, "notes") or None,
        "output_tail": _tails(said) or None,
        **{key: number(said, key) for key in _NUMBERS},
        **{key: text(said, key) for key in _TEXTS},
    }
    return without_blanks(values)


def _tails(said: Mapping[str, Any]) -> dict[str, str]:
    """The last of what the command wrote, by stream."""
    tails = {name: said.get(f"{name}_tail") for name in ("stdout", "stderr")}
    return {
        name: clip.encodable(tail[-MAX_TAIL:])
        for name, tail in tails.items()
        if isinstance(tail, str) and tail
    }


def _phases(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    phases = said.get("phases")
    found = []
    for phase in phases[: clip.MAX_MESSAGES] if isinstance(phases, list) else []:
        if not isinstance(phase, dict) or not isinstance(phase.get("name"), str):
            continue
        start, end = number(phase, "start"), number(phase, "end")
        if start is not None and end is not None:
            times = {"start": time(phase, "start"), "end": time(phase, "end")}
            found.append({"name": text(phase, "name"), **times, "duration": round(end - start, 6)})
    return found
