"""The way of ended jobs' documents into the archive, and what is done where the store lacks an index."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from hysds.adapters.archive.memory import MemoryArchive
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.spill.memory import MemorySpill
from hysds.adapters.store.memory import MemoryStore
from hysds.core.errors import NotInitialised, Unreachable
from hysds.core.floor_requests import Fit
from hysds.core.record import Record
from hysds.core.requests import Acceptance, Bid, Commit
from hysds.core.status import Status
from hysds.indexer import projection
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.indexer.relief import Bounds, Relief
from hysds.lib.transport_retry import Persistence
from hysds.ports.indices import Index, Resource
from hysds.ports.store import Document, Written

_AT_ONCE = Persistence(attempts=1, first_wait_s=0, longest_wait_s=0)


class _Archive(MemoryArchive):
    """An archive that is away when told, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.asked = 0

    def append(self, documents: Sequence[Document]) -> None:
        self.asked += 1
        if self.is_away:
            raise Unreachable("archive", "away for the test")
        super().append(documents)


class _Indexed(MemoryStore):
    """A store that takes nothing before its indices are made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[int, int]] = []
        self.stop: threading.Event | None = None

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        if not self.made:
            raise NotInitialised("store", "no index of generation 1")
        if self.stop is not None:
            self.stop.set()
        return super().write(documents)


@dataclass
class _Indices:
    """Their upkeep: it only notes what was made."""

    store: _Indexed

    def init(self, oldest: int, current: int) -> tuple[str, ...]:
        self.store.made.append((oldest, current))
        return ("job_status-000001",)

    def all(self) -> tuple[Index, ...]:
        return ()

    def drop(self, resource: Resource, generation: int) -> bool:
        return False


class _House:
    """A ledger, a store, an archive and indexers over them."""

    def __init__(self) -> None:
        self.us = 1_767_225_600_000_000
        self.ledger = MemoryLedger(1_000, lambda: self.us)
        self.events = MemoryEvents(self.ledger, lambda: self.us / 1e6)
        self.store = MemoryStore()
        self.archive = _Archive()
        self.spill = MemorySpill()

    def indexer(self, spills: bool = False) -> Indexer:
        relief = Relief(self.ledger, self.spill, Bounds()) if spills else None
        pace = Pace("one", patience_s=0.0, interval_s=0.0, persistence=_AT_ONCE)
        aids = Aids(relief=relief, archive=self.archive)
        return Indexer(self.events, self.ledger, self.store, pace, lambda: self.us / 1e6, aids)

    def submit(self, *numbers: int) -> list[str]:
        ids = [f"00000000-0000-4000-8000-{number:012}" for number in numbers]
        self.ledger.accept([Acceptance(id_, "d", '{"job_type":"x"}', "gpu", "1s") for id_ in ids])
        return ids

    def finish(self) -> None:
        self.us += 1_000
        lease = self.ledger.claim(Bid("w", ("gpu",), Fit(now=("1s",)), f"n{self.us}", 30_000, 60_000)).lease
        assert lease is not None
        self.us += 1_000
        self.ledger.commit(Commit(lease.record.id, lease.record.fence, Status.COMPLETED, detail="{}"))

    def record(self, id_: str) -> Record:
        (kept,) = self.ledger.kept([id_])
        assert kept is not None
        return kept.record

    def archived(self) -> list[str]:
        return [one["id"] for one in self.archive.read(lambda note: None)]

    def found(self, id_: str) -> str:
        (document,) = self.store.get([id_])
        return str(document and document["status"])


@pytest.fixture
def house() -> _House:
    return _House()


def test_ended_jobs_are_archived_and_live_ones_are_not(house: _House) -> None:
    """Once; and once more at a new revision, which a touch makes here."""
    first, _ = house.submit(1, 2)
    house.finish()
    indexer = house.indexer()
    indexer.step()
    house.ledger.touch(first, 0)
    house.submit(3)
    indexer.step()
    indexer.step()

    assert house.archived() == [first, first]
    assert {one["revision"] for one in house.archive.read(lambda note: None)} >= {
        house.record(first).revision
    }


def test_a_job_is_confirmed_after_it_was_archived_and_not_before(house: _House) -> None:
    """Without a spill everything waits for the archive."""
    (id_,) = house.submit(1)
    house.finish()
    house.archive.is_away = True
    indexer = house.indexer()

    with pytest.raises(Unreachable, match="archive"):
        indexer.step()
    assert not house.record(id_).confirmed
    assert house.events.backlog("indexer") == 3

    house.archive.is_away = False
    house.us += 6_000_000
    indexer.step()
    assert house.record(id_).confirmed
    assert house.archived() == [id_]


def test_search_goes_on_while_the_archive_is_away(house: _House) -> None:
    """With a spill: what could not be archived waits there, and everything is searchable and confirmed meanwhile."""
    (id_,) = house.submit(1)
    house.finish()
    house.archive.is_away = True
    indexer = house.indexer(spills=True)
    indexer.step()
    (other,) = house.submit(2)
    indexer.step()

    assert (house.found(id_), house.found(other)) == ("job-completed", "job-queued")
    assert house.record(id_).confirmed
    assert house.events.backlog("indexer") == 0
    assert house.archived() == []

    house.archive.is_away = False
    house.us += 6_000_000
    indexer.step()
    assert house.archived() == [id_]
    assert house.spill.held().documents == 0


def test_an_archive_that_is_away_is_not_asked_with_each_round(house: _House) -> None:
    """Each question may take as long as its timeout."""
    house.archive.is_away = True
    indexer = house.indexer(spills=True)
    for number in range(5):
        house.submit(number)
        house.finish()
        indexer.step()

    assert house.archive.asked == 1


def test_a_drained_document_is_archived_too(house: _House) -> None:
    """It was confirmed when it was spilled, and the ledger may have forgotten it since."""
    (id_,) = house.submit(1)
    house.finish()
    indexer = house.indexer(spills=True)
    relief = Relief(house.ledger, house.spill, Bounds())
    relief.keep(projection.made([id_], house.ledger))
    house.us += 2_000_000
    house.ledger.forget([id_])
    indexer.step()

    assert house.found(id_) == "job-completed"
    assert house.archived() == [id_]


def test_a_store_without_its_indices_gets_them_and_nothing_becomes_a_dead_letter(house: _House) -> None:
    """First use needs no command, and a lost cluster is made anew: of all generations that the ledger knows."""
    house.store = store = _Indexed()
    (id_,) = house.submit(1)
    aids = Aids(indices=_Indices(store))
    pace = Pace("one", patience_s=0.0, interval_s=0.0, persistence=_AT_ONCE)
    indexer = Indexer(house.events, house.ledger, store, pace, lambda: house.us / 1e6, aids)
    store.stop = threading.Event()

    indexer.run(store.stop)

    known = house.ledger.generations()
    assert store.made == [(known.oldest, known.current)]
    assert house.found(id_) == "job-queued"
    assert store.dead_letters(10) == ()
