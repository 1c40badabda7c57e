"""The indices that an Elasticsearch store is made of: how they come to be, what is in them, and how they are dropped.

A resource whose index rolls over has one index a generation, which its documents name (`generation`); the ledger says
which generations there are, and nobody but these methods makes or drops an index. Stores that are one file have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Resource(StrEnum):
    """What documents tell of; each has its own indices."""

    JOB = "job"
    TASK = "task"
    EVENT = "event"
    WORKER = "worker"
    DEAD_LETTER = "dead_letter"


ROLLED = (Resource.JOB, Resource.TASK, Resource.EVENT)
"""Those with an index a generation. The others have one for ever, of the first generation."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index as it stands now."""

    resource: Resource
    generation: int
    documents: int
    """Searchable ones: what was written within the last second may not count yet."""
    size_bytes: int
    """On one copy; what the server has not yet flushed counts in part."""
    born_ms: int
    """Wall ms of the server when it was made."""
    live: int
    """Documents of jobs and tasks that have not ended; 0 for every other resource."""
    asked_ms: int | None = None
    """Wall ms of the server when it told this; None where it does not tell."""


class Indices(Protocol):
    """The upkeep of a store. Every method may be repeated and may run in several processes at once; each raises
    Unreachable where the server does not answer, or is none that can hold the store."""

    def init(self, oldest: int, current: int) -> tuple[str, ...]:
        """Make what is missing: templates, the indices of all generations from `oldest` to `current`, and their
        aliases; indices of an earlier HySDS learn fields that came since. The names of what was made or changed; none
        where all was there."""

    def all(self) -> tuple[Index, ...]:
        """Every index of the store, by resource and generation."""

    def drop(self, resource: Resource, generation: int) -> bool:
        """Drop an index with all of its documents; whether there was one. Of a resource that does not roll over it is
        refused: Refused."""

    def close(self) -> None:
        """Let go of connections."""
