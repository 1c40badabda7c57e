"""Times as documents write them: ISO 8601 in UTC with milliseconds and a `Z`, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def iso(ms: int) -> str:
    """`2026-11-23T00:16:14.250Z` for ms since 1970."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").removesuffix(
        "+00:00"
    ) + "Z"


def ms_of(text: object) -> int:
    """Ms since 1970 of an ISO time, in UTC where it names no zone; 0 for what is no time, or one before
    1970."""
    if not isinstance(text, str):
        return 0
    try:
        moment = datetime.fromisoformat(text)
        return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH, timedelta()) // _MS
    except (ValueError, OverflowError):
        return 0
