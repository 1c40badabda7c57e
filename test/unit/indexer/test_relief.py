"""What becomes of documents while the store is away: when they are spilled, how they come back, and when nothing is."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.spill.memory import MemorySpill
from hysds.adapters.store.memory import MemoryStore
from hysds.core.errors import Full, Unreachable
from hysds.core.floor_requests import Fit
from hysds.core.record import Record
from hysds.core.requests import Acceptance, Bid, Commit
from hysds.core.status import Status
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.indexer.relief import Bounds, Relief
from hysds.lib.transport_retry import Persistence
from hysds.ports.ledger import Pulse
from hysds.ports.spill import Portion
from hysds.ports.store import Document, Written

_AT_ONCE = Persistence(attempts=1, first_wait_s=0, longest_wait_s=0)
_SPEC = '{"job_type":"job:x","payload":{}}'


class _Store(MemoryStore):
    """A store that is away when told, and counts what it was asked to write."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.sizes: list[int] = []
        self.when_asked: threading.Event | None = None

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        self.sizes.append(len(documents))
        if self.is_away:
            if self.when_asked is not None:
                self.when_asked.set()
            raise Unreachable("store", "away for the test")
        return super().write(documents)


class _Ledger(MemoryLedger):
    """A ledger whose server is as full as told."""

    memory_bytes = 0
    memory_limit_bytes: int | None = None

    def pulse(self) -> Pulse:
        told = super().pulse()
        return replace(told, memory_bytes=self.memory_bytes, memory_limit_bytes=self.memory_limit_bytes)


class _Spill(MemorySpill):
    """A spill whose disk fails when told."""

    fails: Exception | None = None

    def append(self, portion: Portion) -> None:
        if self.fails is not None:
            raise self.fails
        super().append(portion)

    def oldest(self) -> Portion | None:
        if self.fails is not None:
            raise Unreachable("spill", "the disk fails")
        return super().oldest()


@dataclass
class _House:
    """A ledger, a store, a spill, and indexers over them."""

    us: int = 1_767_225_600_000_000
    bounds: Bounds = field(default_factory=lambda: Bounds(events=6))

    def __post_init__(self) -> None:
        self.ledger = _Ledger(1_000, lambda: self.us)
        self.events = MemoryEvents(self.ledger, lambda: self.us / 1e6)
        self.store = _Store()
        self.spill = _Spill()
        self.stop = threading.Event()

    def indexer(self, member: str = "one", **pace: Any) -> Indexer:
        settings = {"patience_s": 0.0, "interval_s": 0.0, "persistence": _AT_ONCE, **pace}
        aids = Aids(relief=Relief(self.ledger, self.spill, self.bounds))
        return Indexer(
            self.events, self.ledger, self.store, Pace(member, **settings), lambda: self.us / 1e6, aids
        )

    def submit(self, *numbers: int, spec: str = _SPEC) -> list[str]:
        ids = [f"00000000-0000-4000-8000-{number:012}" for number in numbers]
        self.ledger.accept([Acceptance(id_, "d", spec, "gpu", "1s") for id_ in ids])
        return ids

    def finish(self, count: int = 1) -> None:
        for _ in range(count):
            self.us += 1_000
            bid = Bid("w", ("gpu",), Fit(now=("1s",)), f"n{self.us}", 30_000, 60_000)
            lease = self.ledger.claim(bid).lease
            assert lease is not None
            self.us += 1_000
            self.ledger.commit(Commit(lease.record.id, lease.record.fence, Status.COMPLETED, detail="{}"))

    def away(self, indexer: Indexer) -> None:
        """The store goes, and the indexer notices."""
        self.store.is_away = True
        with pytest.raises(Unreachable):
            indexer.step()
        indexer._away = "store"

    def record(self, id_: str) -> Record | None:
        (kept,) = self.ledger.kept([id_])
        return kept and kept.record

    def statuses(self, ids: Sequence[str]) -> list[str]:
        return [str(one and one["status"]) for one in self.store.get(ids)]

    def backlog(self) -> int:
        return self.events.backlog("indexer")


@pytest.fixture
def house() -> _House:
    return _House()


def test_a_short_outage_is_waited_for(house: _House) -> None:
    """Fewer events than the bound: they stay in the ledger, and nothing touches the disk."""
    house.submit(1, 2)
    indexer = house.indexer()
    house.away(indexer)

    assert indexer.relieve(house.stop).spilled == 0
    assert house.backlog() == 2
    assert house.spill.held().documents == 0


def test_a_long_outage_empties_the_ledger_onto_the_disk(house: _House) -> None:
    """At the bound all that waits is spilled: events are done with, ended jobs are confirmed and may be forgotten."""
    ids = house.submit(1, 2, 3)
    house.finish(2)
    indexer = house.indexer(batch=2)
    house.away(indexer)

    indexer.relieve(house.stop)
    house.us += 2_000_000

    assert house.backlog() == 0
    assert house.ledger.retirable(10) == tuple(ids[:2])
    assert house.ledger.forget(ids[:2]) == tuple(ids[:2])


def test_what_was_spilled_is_written_when_the_store_is_back(house: _House) -> None:
    """Although the ledger has forgotten the jobs meanwhile."""
    ids = house.submit(1, 2, 3)
    house.finish(2)
    indexer = house.indexer()
    house.away(indexer)
    indexer.relieve(house.stop)
    house.ledger.forget(ids[:2])
    house.store.is_away = False
    while house.spill.held().documents:
        indexer.step()

    assert house.statuses(ids) == ["job-completed", "job-completed", "job-queued"]


def test_a_forgotten_job_whose_end_is_in_the_spill_is_taken_for_no_ghost(house: _House) -> None:
    """The store shows it as live, and the ledger does not know it: its end comes with the drain."""
    ids = house.submit(*range(6))
    indexer = house.indexer(ghosts_every_s=0.0, batch=2)
    while house.backlog():
        indexer.step()
    house.finish(6)
    house.away(indexer)
    indexer.relieve(house.stop)
    house.ledger.forget(ids)
    house.us += 60_000_000
    house.store.is_away = False

    rounds = [indexer.step() for _ in range(20)]

    assert sum(one.drained is not None for one in rounds) > 2
    assert [one.ghosts.ended for one in rounds] == [0] * 20
    assert house.statuses(ids) == ["job-completed"] * 6


def test_the_store_is_tried_with_one_document_while_it_is_away(house: _House) -> None:
    """From the spill, or else from the stream; hundreds would be built and packed for nothing."""
    house.submit(*range(5))
    indexer = house.indexer()
    house.away(indexer)
    with pytest.raises(Unreachable):
        indexer.step()
    house.submit(*range(5, 9))
    indexer.relieve(house.stop)
    with pytest.raises(Unreachable):
        indexer.step()

    assert house.store.sizes == [5, 1, 1]


def test_a_spilled_document_never_replaces_a_newer_one(house: _House) -> None:
    """Another host, which never lost the store, wrote it."""
    ids = house.submit(*range(6))
    indexer = house.indexer()
    house.away(indexer)
    indexer.relieve(house.stop)
    house.store.is_away = False
    house.finish(6)
    Indexer(house.events, house.ledger, house.store, Pace("other", patience_s=0.0)).step()
    newer = house.statuses(ids)

    drained = indexer.step().drained

    assert drained is not None
    assert (drained.written, drained.held) == (0, 6)
    assert house.statuses(ids) == newer == ["job-completed"] * 6


def test_a_revision_from_a_lost_future_is_overtaken_by_a_drain_too(house: _House) -> None:
    """The ledger still has the record: it is raised, and its event brings the document."""
    (id_, *_) = house.submit(*range(6))
    indexer = house.indexer()
    house.away(indexer)
    indexer.relieve(house.stop)
    house.store.is_away = False
    record = house.record(id_)
    assert record is not None
    future = record.revision + 5_000_000_000
    house.store.write([{"id": id_, "revision": future, "status": "job-failed"}])

    drained = indexer.step().drained
    indexer.step()

    assert drained is not None
    assert drained.touched == 1
    assert house.statuses([id_]) == ["job-queued"]


def test_a_spill_without_room_loses_nothing(house: _House) -> None:
    """Nothing is confirmed nor done with: it waits in the ledger, and is written when the store is back."""
    ids = house.submit(*range(6))
    house.finish(1)
    indexer = house.indexer()
    house.away(indexer)
    house.spill.fails = Full("the disk is full")

    with pytest.raises(Full):
        indexer.relieve(house.stop)
    first = house.record(ids[0])
    assert first is not None
    assert (house.backlog(), first.confirmed) == (8, False)

    house.store.is_away = False
    while house.backlog():
        indexer.step()
    assert house.statuses(ids) == ["job-completed", *["job-queued"] * 5]


def test_a_spill_that_cannot_be_read_does_not_stop_the_stream(house: _House) -> None:
    """What is on the failing disk waits; all else is written."""
    house.spill.fails = Unreachable("spill", "the disk fails")
    ids = house.submit(1)

    done = house.indexer().step()

    assert (done.projected.written, done.drained) == (1, None)
    assert house.statuses(ids) == ["job-queued"]


def test_a_ledger_short_of_memory_is_relieved_before_its_events_are_many(house: _House) -> None:
    """By the part of its limit that it uses; one without a limit is not."""
    house.submit(1)
    indexer = house.indexer()
    house.away(indexer)
    house.ledger.memory_bytes = 60
    assert indexer.relieve(house.stop).spilled == 0
    house.ledger.memory_limit_bytes = 121
    assert indexer.relieve(house.stop).spilled == 0
    house.ledger.memory_limit_bytes = 120

    assert indexer.relieve(house.stop).spilled == 1
    assert house.backlog() == 0


def test_beside_a_store_that_answers_only_a_full_ledger_is_relieved(house: _House) -> None:
    """Catching up from a long stream is no danger; a long stream in a full server is."""
    house.submit(*range(7))
    indexer = house.indexer()
    assert indexer.relieve(house.stop).spilled == 0
    house.ledger.memory_bytes = house.ledger.memory_limit_bytes = 100

    assert indexer.relieve(house.stop).spilled == 7


def test_a_document_that_cannot_be_built_goes_to_the_spill_as_a_letter(house: _House) -> None:
    """Its job is confirmed as ever, and the store gets the letter when it is back."""
    (bad,) = house.submit(1, spec="no JSON")
    house.submit(*range(2, 8))
    indexer = house.indexer()
    house.away(indexer)

    done = indexer.relieve(house.stop)
    house.store.is_away = False
    indexer.step()

    assert (done.set_aside, done.spilled) == (1, 7)
    assert [letter.id for letter in house.store.dead_letters(10)] == [bad]


def test_a_spilled_document_that_the_store_refuses_is_set_aside_alone(house: _House) -> None:
    """It was confirmed long ago: its letter is what tells of it, and the others are written."""
    huge = json.dumps({"job_type": "x", "payload": {"a": "x" * 16_000_001}})
    (bad,) = house.submit(1, spec=huge)
    ids = house.submit(*range(2, 8))
    indexer = house.indexer()
    house.away(indexer)
    indexer.relieve(house.stop)
    house.store.is_away = False
    drained = indexer.step().drained

    assert drained is not None
    assert (drained.written, drained.set_aside) == (6, 1)
    assert [letter.id for letter in house.store.dead_letters(10)] == [bad]
    assert house.statuses(ids) == ["job-queued"] * 6
    assert house.spill.held().documents == 0


def test_an_indexer_that_runs_spills_by_itself_and_drains_by_itself(house: _House) -> None:
    """From the outage's first failure to the last document, in one run."""
    ids = house.submit(*range(20))
    house.store.is_away = True
    house.store.when_asked = threading.Event()
    thread = threading.Thread(target=house.indexer(batch=5).run, args=(house.stop,))
    thread.start()
    house.store.when_asked.wait(30)
    while house.backlog():
        house.store.when_asked.clear()
        assert house.store.when_asked.wait(30)
    spilled = house.spill.held().documents
    house.store.is_away = False
    while house.spill.held().documents:
        assert thread.is_alive()
    house.stop.set()
    thread.join()

    assert spilled == 20
    assert house.statuses(ids) == ["job-queued"] * 20
