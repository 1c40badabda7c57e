"""The way from the ledger to where documents are searched, or wait: one indexer, one SQLite file, one spill."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from benchmarks import ledger, sampling
from benchmarks.processes import directory
from benchmarks.row import Samples
from benchmarks.server import server
from hysds.bootstrap import System
from hysds.core.requests import Acceptance
from hysds.indexer import projection
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.indexer.relief import Bounds, Relief
from hysds.settings.model import Settings

_JOBS = 4_000
_ROUNDS = 5
_STEP = 500


def indexed() -> Samples:
    """Documents a second from the ledger's events into SQLite, by one indexer; the peer: the same onto this host's disk
    (the spill)."""
    with _opened() as bench:
        return sampling.alternate(bench.index, bench.spill, _ROUNDS, warm_ups=1)


def drained() -> Samples:
    """Documents a second from the spill into SQLite; the peer: from the ledger's events, by one indexer."""
    with _opened() as bench:

        def ours() -> float:
            bench.spill()
            return sampling.rate(bench.drain, _JOBS)

        return sampling.alternate(ours, bench.index, _ROUNDS, warm_ups=1)


@dataclass
class _Bench:
    """One system without roles; `submit` is what its ledger is given."""

    system: System
    submitted: Iterator[Acceptance]

    def __post_init__(self) -> None:
        system = self.system
        self.relief = Relief(system.ledger, system.spill, Bounds())
        self.indexer = Indexer(system.events, system.ledger, system.store, Pace("bench", patience_s=0))
        aids = Aids(relief=self.relief)
        self.drainer = Indexer(
            system.events, system.ledger, system.store, Pace("drains", patience_s=0), aids=aids
        )

    def index(self) -> float:
        """Documents a second."""
        self._submit()
        return sampling.rate(self._index, _JOBS)

    def spill(self) -> float:
        """Likewise."""
        self._submit()
        return sampling.rate(self._spill, _JOBS)

    def drain(self) -> None:
        """Until nothing is left in the spill."""
        while self.drainer.step().drained is not None:
            pass

    def _index(self) -> None:
        while self.indexer.step().entries:
            pass

    def _spill(self) -> None:
        events = self.system.events
        while entries := events.read("indexer", "spills", 2_000, 0):
            for made in projection.made_ahead([one.event.id for one in entries], self.system.ledger):
                self.relief.keep(made)
            events.done("indexer", [one.position for one in entries])

    def _submit(self) -> None:
        for _ in range(_JOBS // _STEP):
            self.system.ledger.accept(list(itertools.islice(self.submitted, _STEP)))


@contextmanager
def _opened() -> Iterator[_Bench]:
    with (
        directory() as home,
        server(home),
        closing(System(Settings(home=home))) as system,
    ):
        yield _Bench(system, ledger.submissions())
