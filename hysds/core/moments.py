"""Times as documents write them: ISO 8601 in UTC with milliseconds and a `Z`, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def iso(ms: int) -> str:
    """`2026-11-23T00:16:14.250Z` for ms since 1970.

    Raises: ValueError for a time that has no such form, before the year 1 or after 9999.
    """
    days, ms = divmod(ms, 86_400_000)
    minutes, ms = divmod(ms, 60_000)
    return f"{_date(days)}T{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}.{ms % 1000:03}Z"


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


@lru_cache(maxsize=64)
def _date(days: int) -> str:
    """The date so many days after the epoch; kept, because most times of a batch are of a few days."""
    try:
        return (_EPOCH + timedelta(days=days)).date().isoformat()
    except OverflowError as error:
        raise ValueError(f"{days} days from 1970 are in no year from 1 to 9999") from error
