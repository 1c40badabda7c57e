"""What an operator lets queues, types, users and concurrency keys do: values, and which one holds for a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

OTHERS = "*"
"""The name of a policy for all that no other one names."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the system one type, user or key may take. None: as much as there is."""

    max_running: int | None = None
    """How many of its jobs may run at once."""
    rate_per_s: float | None = None
    """How many of its jobs may start in a second, over a longer time."""
    burst: int = 1
    """How many may start at once, after a time in which none did."""
    source: str = field(default="", compare=False)
    """Where it is set."""


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """What a queue takes, from whom, and how much of it at once."""

    types: tuple[str, ...] = ()
    """Job types that may use it, as names or patterns (`job:train-*`); none: all."""
    users: tuple[str, ...] = ()
    """Users who may use it, as names or patterns; none: all, and jobs without a user."""
    soft_time_limit_s: float | None = None
    """For a job that has no limit by its spec, creator or type."""
    time_limit_s: float | None = None
    max_time_limit_s: float | None = None
    """A job with a longer limit is refused."""
    max_running: int | None = None
    max_running_per_user: int | None = None
    max_running_per_type: int | None = None
    max_running_per_key: int | None = None
    """How many of its jobs of one `concurrency_key` may run at once."""
    rate_per_s: float | None = None
    burst: int = 1
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies by name: exact, a pattern, or OTHERS."""

    queues: Mapping[str, QueuePolicy] = field(default_factory=dict)
    types: Mapping[str, Share] = field(default_factory=dict)
    users: Mapping[str, Share] = field(default_factory=dict)
    keys: Mapping[str, Share] = field(default_factory=dict)


def of_name(policies: Mapping[str, Share], name: str) -> Share | None:
    """The share for a name: its own, else that of the longest pattern that it fits; None: no policy names it."""
    if name in policies:
        return policies[name]
    fitting = [pattern for pattern in policies if fnmatchcase(name, pattern)]
    return policies[max(fitting, key=lambda pattern: (len(pattern), pattern))] if fitting else None


def of_queue(policies: Mapping[str, QueuePolicy], name: str) -> QueuePolicy | None:
    """The policy of a queue: its own, else that of OTHERS; None: there is neither."""
    return policies.get(name) or policies.get(OTHERS)


def admits(patterns: tuple[str, ...], name: str | None) -> bool:
    """Whether a list of names and patterns admits this one; an empty list admits all, and nobody's is on no list."""
    return not patterns or (name is not None and any(fnmatchcase(name, pattern) for pattern in patterns))
