"""Where the job types that all submitters use are published."""

from __future__ import annotations

from typing import Protocol

from hysds.core.job_types.catalog import Catalog


class CatalogShelf(Protocol):
    """Holds one catalogue, the latest. Every method raises Unreachable when no answer came, and may be repeated."""

    def digest(self) -> str:
        """Names the published catalogue, in one small answer; `catalog.NOTHING_PUBLISHED`: there is none."""

    def published(self) -> Catalog | None:
        """The published catalogue; None: there is none.

        Raises: Internal where it can't be read.
        """

    def publish(self, known: Catalog, replaces: str) -> bool:
        """Put a catalogue in place of the one with the digest `replaces` (`catalog.NOTHING_PUBLISHED`: of none).

        False: another one stands there, and nothing is changed; True also where this very one stands there already.
        """
