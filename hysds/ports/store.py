"""Where documents are searched: a projection of the ledger; it may be slow, absent or behind, and is never the truth.

A document enters with its job's revision; an older one never replaces a newer one, however late, doubled or
reordered writes come. Every method raises Unreachable when the store as a whole does not answer; a write
then may or may not have happened, and may be repeated.

How fresh answers are: `get` knows every write that was answered, whoever made it. Questions (`search`, `find`,
`dead_letters`) may not know the writes of the last FRESH_MS yet; a write and its question in between wait for
`refresh`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from hysds.core.query import Counts, JobQuery

Document = Mapping[str, Any]

FENCE_MS = 86_400_000
"""How long a deleted document is not written again, wall ms: by then no writer lives that read its job before."""

FRESH_MS = 1_000
"""A question knows all that was written so long before it, wall ms, while the store keeps up."""


class Writing(StrEnum):
    """What became of one document."""

    WRITTEN = "written"
    OLDER = "older"
    """The store holds an equal or higher revision, and keeps that."""
    REFUSED = "refused"
    """The store can't take such a document, nor later; the others of its batch are written."""


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to one document. `held` is the revision that the store has now, 0 where it refused."""

    how: Writing
    held: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to a query. `cursor` is "" on the last page; `total` and `counts` are over all pages."""

    documents: tuple[dict[str, Any], ...]
    cursor: str
    total: int
    counts: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a query without its documents: (id, status) of each job of the page. `cursor` and `total` as of a
    `Page`."""

    jobs: tuple[tuple[str, str], ...]
    cursor: str
    total: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job whose document could not be made or written. A later revision that can be replaces it."""

    id: str
    revision: int
    reason: str
    at_ms: int
    """Wall ms when it was set aside."""


class Store(Protocol):
    """Documents of jobs by id. Safe to share between threads, and between processes where they can reach
    it."""

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        """Write documents, one answer each, as if one came after the other. What it answers is durable.

        Raises: NotInitialised where the index of a document's `generation` is missing.
        """

    def get(self, ids: Sequence[str]) -> tuple[dict[str, Any] | None, ...]:
        """The documents of these jobs; None where there is none."""

    def search(self, query: JobQuery) -> Page:
        """What `core.query.select` says, of one moment."""

    def find(self, query: JobQuery) -> Found:
        """The same jobs as `search`, in the same order, at a fraction of its cost; facets are not counted."""

    def delete(self, wanted: Sequence[tuple[str, int]]) -> tuple[bool, ...]:
        """Delete what is held of each (id, revision) up to that revision, letters too; whether there was a document.

        For FENCE_MS no document of it up to that revision is written again: `older`, with the revision as what is held.
        """

    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        """Keep why jobs have no document of a revision: the newest letter a job, and only above what is
        written."""

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        """The newest letters first, at equal times by id."""

    def refresh(self) -> None:
        """Return when questions know all that was written before. For who compares, now and then: it costs the store
        more than a batch does."""

    def describe(self) -> str:
        """Where documents are read, for people; no secret in it."""

    def close(self) -> None:
        """Let go of connections and files."""
