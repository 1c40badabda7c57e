"""Makes the store's indices where they are missing: at first use, and after the loss of a whole cluster."""

from __future__ import annotations

import logging

from hysds.core.errors import NotInitialised
from hysds.ports.indices import Indices
from hysds.ports.ledger import Ledger

_LOG = logging.getLogger("hysds.indexer")


class Founding:
    """Any thread. `indices`: None for a store that has none to be made."""

    def __init__(self, ledger: Ledger, indices: Indices | None) -> None:
        self._ledger = ledger
        self._indices = indices

    def mend(self, lack: NotInitialised) -> None:
        """Make what is missing of all generations that the ledger knows of.

        Raises: Unreachable; the lack itself where there is nothing that could make it.
        """
        if self._indices is None:
            raise lack
        known = self._ledger.generations()
        if made := self._indices.init(known.oldest, known.current):
            _LOG.warning(
                "the store lacked %s: made; if it was not new, put back what was in it: hysds index rebuild",
                ", ".join(made), extra={"action": "initialised"},
            )  # fmt: skip
