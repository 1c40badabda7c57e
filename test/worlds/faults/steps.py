"""The rows and columns of the matrix: the steps of a job's way, and the roles that are killed at each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

ROLES = ("worker", "guardian", "keeper", "indexer", "reconciler", "valkey", "rabbitmq")


class Way(Enum):
    """What a job's way is beside submit, run, end."""

    PLAIN = auto()
    RUNS_ON = auto()
    """It goes on until the fault was struck."""
    RENEWS = auto()
    """So too, and its fault point is armed once it runs: a renewal may also come just after the claim."""
    WAITS = auto()
    """It may not start at once."""
    RINGS = auto()
    """A bell is rung although somebody has heard of it already: between announced workers none would be."""
    CANCELLED = auto()
    DRAINED = auto()
    """Its worker is asked to leave while it runs."""


@dataclass(frozen=True)
class Step:
    """One column. `name` is the moment's."""

    name: str
    where: str
    """Whose process is at this step."""
    way: Way = Way.PLAIN


STEPS = (
    Step("accept sent", "client"),
    Step("accept applied", "client"),
    Step("woken", "reconciler", Way.WAITS),
    Step("bell rung", "client", Way.RINGS),
    Step("bell heard", "worker", Way.RINGS),
    Step("claim sent", "worker"),
    Step("claim answered", "worker"),
    Step("directory made", "worker"),
    Step("files written", "worker"),
    Step("spawn asked", "worker"),
    Step("keeper forked", "keeper"),
    Step("command spawned", "keeper"),
    Step("output flows", "worker", Way.RUNS_ON),
    Step("renewal sent", "worker", Way.RENEWS),
    Step("command ended", "keeper"),
    Step("processes gone", "keeper"),
    Step("findings read", "worker"),
    Step("commit sent", "worker"),
    Step("commit applied", "worker"),
    Step("event read", "indexer"),
    Step("document written", "indexer"),
    Step("confirmed", "indexer"),
    Step("forgotten", "reconciler"),
    Step("cancel asked", "client", Way.CANCELLED),
    Step("cancel heard", "worker", Way.CANCELLED),
    Step("release sent", "worker", Way.DRAINED),
    Step("release applied", "worker", Way.DRAINED),
)
