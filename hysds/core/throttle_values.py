"""What a record says of throttles: which it names, where it stands among them, in which line it waits.

A throttle is named as a job's reason names it: `limit KEY` or `rate KEY`. Jobs that name the same throttles and have
one queue and one shape share a line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from hysds.core import limit_keys
from hysds.core.record import Record, ready_score
from hysds.core.status import Status

LIMIT, RATE = "limit ", "rate "
"""What the name of a throttle begins with; its key follows."""


EXPECTED_MS = 1_000
"""How long a called job is expected: jobs of other queues and shapes that come after it are not called for its place.
As often as somebody looks (`wake`), and far longer than an idle worker takes."""


class Pair(NamedTuple):
    """Jobs of one queue and one shape: to a worker they are the same."""

    queue: str
    shape: str


@dataclass(frozen=True, slots=True)
class Throttle:
    """A limit has places, a rate an interval and a bucket.

    `full_us`: when a rate's bucket is full again if nobody takes of it, in µs of the ledger's clock: that never jumps.
    """

    places: int = 0
    interval_us: int = 0
    bucket: int = 0
    full_us: int = 0

    @property
    def is_rate(self) -> bool:
        return self.interval_us > 0

    def tokens(self, clock_us: int) -> int:
        """How many lie ready in a rate's bucket."""
        missing_us = max(self.full_us - clock_us, 0)
        return self.bucket - -(-missing_us // self.interval_us)

    def next_us(self, clock_us: int) -> int:
        """When a bucket that is not full gets its next token."""
        return self.full_us - self.interval_us * (self.bucket - self.tokens(clock_us) - 1)

    def taken(self, clock_us: int) -> Throttle:
        """With one token less."""
        return replace(self, full_us=max(self.full_us, clock_us) + self.interval_us)

    def renumbered(self, said: Throttle, clock_us: int) -> Throttle:
        """With the numbers that a submission names; no more is missing of a rate's bucket than it holds."""
        if not said.is_rate:
            return said
        return replace(said, full_us=min(self.full_us, clock_us + said.bucket * said.interval_us))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a record stands among throttles: in at most one of these ways."""

    called: int | None = None
    """Its score among the ready."""
    holds: int | None = None
    """Since when, in wall ms."""
    waits: int | None = None
    """Its score in its line."""


NOWHERE = Standing()


def is_limited(record: Record) -> bool:
    """Whether the job has any throttle."""
    return bool(record.limits or record.rates)


def waits_in_line(record: Record) -> bool:
    """Whether it waits for a throttle, and not for a time or for other jobs."""
    return record.status is Status.WAITING and record.reason.startswith((LIMIT, RATE))


def standing(record: Record | None) -> Standing:
    """Where a record stands."""
    if record is None or not is_limited(record):
        return NOWHERE
    if record.status is Status.QUEUED:
        return Standing(called=ready_score(record))
    if record.status is Status.STARTED:
        return Standing(holds=record.started_ms)
    return Standing(waits=ready_score(record)) if waits_in_line(record) else NOWHERE


def terms(record: Record) -> tuple[tuple[str, Throttle], ...]:
    """The throttles that a record names, in its order, limits first."""
    return _terms(record.limits, record.rates)


@lru_cache(maxsize=1024)
def _terms(limits: str, rates: str) -> tuple[tuple[str, Throttle], ...]:
    return (
        *((LIMIT + one.key, Throttle(one.places)) for one in limit_keys.read_limits(limits)),
        *((RATE + one.key, Throttle(0, one.interval_us, one.bucket)) for one in limit_keys.read_rates(rates)),
    )


def pair_of(record: Record) -> Pair:
    return Pair(record.queue, record.shape)


def line_of(record: Record) -> str:
    """The name of the line in which the job waits when it has to."""
    return f"{record.shape}\n{record.limits}\n{record.rates}\n{record.queue}"


def place_in_line(record: Record) -> tuple[str, int] | None:
    """Line and score of a job that waits in one."""
    return (line_of(record), ready_score(record)) if waits_in_line(record) else None


def pair_of_line(line: str) -> Pair:
    shape, _, _, queue = line.split("\n", 3)
    return Pair(queue, shape)
