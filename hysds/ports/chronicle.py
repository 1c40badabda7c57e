"""Where documents of workers and events are kept and searched, beside the store of jobs.

A document enters with its `revision`, which is when it happened: of one resource and id the latest stays, however
late, doubled or reordered writes come. Every method raises Unreachable when it does not answer; a write may then be
repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hysds.core.chronicle_query import ChroniclePage, ChronicleQuery
from hysds.ports.store import Document, Writing, Written

__all__ = ["Chronicle", "ChroniclePage", "ChronicleQuery", "Document", "Writing", "Written"]


class Chronicle(Protocol):
    """Documents as `core.happenings.document` makes them. Safe to share between threads."""

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        """Write documents, one answer each, as if one came after the other. What it answers is durable.

        `OLDER`: one of the same resource and id is there that is as new or newer, and stays.
        """

    def search(self, query: ChronicleQuery) -> ChroniclePage:
        """What `core.chronicle_query.select` says."""

    def delete_before(self, resource: str, ms: int) -> int:
        """Delete the documents of a resource whose revision is below this time; answers how many.

        It may be done in pieces: asked again, it goes on.
        """

    def close(self) -> None:
        """Let go of connections and files."""
