"""Keys under which jobs are limited: how many may run at once (places), how many may start in a time (tokens).

A key is a text: `queue:Q`, `type:T`, `user:U`, `key:K` for a free `concurrency_key`, `array:ID` for the members of an
array. The ledger compares keys and reads nothing in them. A job's record keeps its keys as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_SECOND_US = 1_000_000
_LONGEST_FILL_US = 10 * 365 * 86_400 * _SECOND_US
"""Ten years: how long an empty bucket may take to fill, so that its times stay exact in Lua."""
MOST_PLACES = 10**9
MAX_HOLDERS = 20
"""The most ids that are told of those who hold the places of a key."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `places` jobs of the key are started at once.

    Raises: ValueError where the key is empty or has control characters, or there is no place.
    """

    key: str
    places: int

    def __post_init__(self) -> None:
        _check_key(self.key)
        if not 1 <= self.places <= MOST_PLACES:
            raise ValueError(f"limit {self.key}: places must be 1 to {MOST_PLACES}, not {self.places}")


@dataclass(frozen=True, slots=True)
class Rate:
    """Jobs of the key start `per_s` times a second on average, and at most `bucket` of them at once.

    `burst` is how many may start at once after a pause; see `bucket`.

    Raises: ValueError where the key is empty, or the numbers are not above 0 or fill a bucket in more than ten years.
    """

    key: str
    per_s: float
    burst: int

    def __post_init__(self) -> None:
        _check_key(self.key)
        if not (math.isfinite(self.per_s) and self.per_s > 0):
            raise ValueError(f"rate {self.key}: it must be above 0 a second, not {self.per_s}")
        if not 1 <= self.burst <= MOST_PLACES or self.per_s > MOST_PLACES:
            raise ValueError(
                f"rate {self.key}: burst and starts a second must be at most {MOST_PLACES}, and burst at least 1"
            )
        if self.bucket * self.interval_us > _LONGEST_FILL_US:
            raise ValueError(f"rate {self.key}: its bucket would take more than ten years to fill")

    @property
    def interval_us(self) -> int:
        """Between two tokens."""
        return max(round(_SECOND_US / self.per_s), 1)

    @property
    def bucket(self) -> int:
        """The most tokens that lie ready: the burst, and no less than come in a second, which is how often somebody
        looks whether one has come."""
        return max(self.burst, math.ceil(self.per_s))


@dataclass(frozen=True, slots=True)
class RateTerms:
    """A rate as the ledger counts it."""

    key: str
    interval_us: int
    bucket: int


@dataclass(frozen=True, slots=True)
class RateState:
    """What stands under a key with a rate."""

    interval_us: int
    bucket: int
    tokens: int
    """So many may start now."""
    next_ms: int
    """In how many ms one more may; 0 where the bucket is full."""
    waiting: int


@dataclass(frozen=True, slots=True)
class LimitState:
    """What stands under a key at one moment; `places` of 0: nobody runs, waits or is ready under a limit of it."""

    key: str
    places: int
    used: int
    holders: tuple[str, ...]
    """Who holds the places, the longest first, at most MAX_HOLDERS."""
    waiting: int
    """Jobs in the lines that wait for a place of it; a job waits at one key at a time."""
    rate: RateState | None = None


def written_limits(limits: Sequence[Limit]) -> str:
    """What a record keeps of its limits; "" of none.

    Raises: ValueError where a key is named twice.
    """
    return _written([[one.key, one.places] for one in limits])


def written_rates(rates: Sequence[Rate]) -> str:
    """What a record keeps of its rates; "" of none.

    Raises: ValueError where a key is named twice.
    """
    return _written([[one.key, one.interval_us, one.bucket] for one in rates])


@lru_cache(maxsize=1024)
def read_limits(text: str) -> tuple[Limit, ...]:
    """The limits that a record keeps, in the order of the submission."""
    return tuple(Limit(key, places) for key, places in json.loads(text)) if text else ()


@lru_cache(maxsize=1024)
def read_rates(text: str) -> tuple[RateTerms, ...]:
    """The rates that a record keeps, in the order of the submission."""
    return tuple(RateTerms(*values) for values in json.loads(text)) if text else ()


def _written(rows: Sequence[Sequence[str | int]]) -> str:
    keys = [row[0] for row in rows]
    if len(set(keys)) < len(keys):
        raise ValueError(f"a job is limited twice under one key: {', '.join(map(str, keys))}")
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")) if rows else ""


def _check_key(key: str) -> None:
    if not key or any(ord(character) < 32 for character in key):
        raise ValueError(f"a limit needs a key without control characters, not {key!r}")
