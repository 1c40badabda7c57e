"""Where documents of ended jobs are kept for good, so that a store that was lost can be made again.

Append-only: a job may come several times, with growing revisions (it was linked to its retry, say), and doubled, where
an answer was lost. Whoever reads keeps the highest revision of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from hysds.ports.store import Document


class Archive(Protocol):
    """Documents in the order in which each process appended them. Safe to share between threads; any number of
    processes append side by side."""

    def append(self, documents: Sequence[Document]) -> None:
        """Keep these. Durable when it returns; after an error some of them may be there.

        Raises: Unreachable
        """

    def read(self, note: Callable[[str], None]) -> Iterator[dict[str, Any]]:
        """All documents, one segment after the other; a segment at a time is in memory. `note` is told of each place
        that can't be read; what lies around it is answered.

        What is appended meanwhile may come or not. Raises: Unreachable
        """

    def describe(self) -> str:
        """Where it lies, for people; no secret in it."""

    def close(self) -> None:
        """Let go of connections and files."""
