"""A store is compared with ledger and archive while all are at work; what is lost is made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.archive.memory import MemoryArchive
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.store.chronicle_memory import MemoryChronicle
from hysds.adapters.store.memory import MemoryStore
from hysds.adapters.store.sqlite import SqliteStore
from hysds.core.chronicle_query import ChronicleQuery
from hysds.core.differences import Kind, Seen, Views, purge
from hysds.core.errors import NotInitialised
from hysds.core.happenings import EVENT, WORKER
from hysds.core.query import JobQuery
from hysds.core.requests import Acceptance
from hysds.indexer import backfilling, copying, rebuilding, verifying
from hysds.indexer.copying import End
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.indexer.rebuilding import Made, Target
from hysds.indexer.sheets import Sheet, Side
from hysds.indexer.verifying import Counts, Difference, Sides
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.indices import Index, Resource
from hysds.ports.store import DeadLetter, Document, Found, Page, Store, Written
from hysds.testing import FakeClock

_SPEC = json.dumps({"job_type": "job:x", "payload": {"k": "v"}})


def _nothing(what: str, count: int) -> None:
    """Nobody watches the walk."""


@dataclass
class World:
    """A ledger whose records are forgotten a second after their confirmation, and an indexer that archives."""

    store: Store = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.ledger = MemoryLedger(1_000, self.clock)
        self.events = MemoryEvents(self.ledger, lambda: self.clock() / 1e6)
        self.archive = MemoryArchive()
        self.spilled = 0
        self.new_id = Uuid7Source(lambda: self.clock() // 1000)

    def submit(self, count: int) -> list[str]:
        ids = [self.new_id() for _ in range(count)]
        self.ledger.accept([Acceptance(id, f"d {id}", _SPEC, "q", "1s") for id in ids])
        self.clock.advance(0.001)
        return ids

    def index(self) -> None:
        pace = Pace("one", patience_s=0.0)
        aids = Aids(archive=self.archive)
        indexer = Indexer(self.events, self.ledger, self.store, pace, lambda: self.clock() / 1e6, aids)
        while indexer.step().entries:
            pass

    def ended(self, count: int, forget: bool = True) -> list[str]:
        """Jobs that ended, were indexed, and were forgotten."""
        ids = self.submit(count)
        self.ledger.cancel(ids)
        self.index()
        if forget:
            self.clock.advance(1)
            self.ledger.forget(ids)
        return ids

    def sides(self, store: Store | None = None) -> Sides:
        return Sides(self.ledger, self.events, store or self.store, self.archive, lambda: self.spilled)

    def differ(self, store: Store | None = None) -> dict[str, tuple[Kind, bool]]:
        found = verifying.verify(self.sides(store), Counts(), _nothing)
        return {one.id: (one.kind, one.late) for one in found}

    def change(self, id: str, **changes: Any) -> None:
        """Somebody writes to the store behind our back."""
        [document] = self.store.get([id])
        assert document is not None
        self.store.delete([(id, document["revision"])])
        if changes:
            raised = {"revision": document["revision"] + 1_000, **changes}
            [answer] = self.store.write([{**document, **raised}])
            assert answer.how.value == "written"


@pytest.fixture
def world() -> World:
    return World()


def test_a_system_that_is_whole_has_no_differences(world: World) -> None:
    """Live jobs, ended ones that are known still, and forgotten ones."""
    world.ended(450)
    world.ended(3, forget=False)
    world.submit(300)
    world.index()
    counts = Counts()

    assert list(verifying.verify(world.sides(), counts, _nothing)) == []
    assert (counts.in_store, counts.in_ledger, counts.in_archive, counts.jobs) == (753, 303, 453, 753)


def test_what_is_not_yet_indexed_is_late_and_then_the_same(world: World) -> None:
    """New jobs and changed ones; asked again after the indexer, nothing is left."""
    known = world.submit(2)
    world.index()
    world.ledger.cancel(known[:1])
    fresh = world.submit(1)

    found = list(verifying.verify(world.sides(), Counts(), _nothing))
    assert {one.id: (one.kind, one.late) for one in found} == {
        known[0]: (Kind.OLDER, True),
        fresh[0]: (Kind.MISSING, True),
    }
    assert len(verifying.again(world.sides(), found)) == 2
    world.index()

    assert verifying.again(world.sides(), found) == []
    assert world.differ() == {}


def test_a_document_that_is_lost_is_wrong_and_not_late(world: World) -> None:
    """Live or ended: no event would bring it back."""
    [live] = world.submit(1)
    world.index()
    [ended] = world.ended(1)
    for id in (live, ended):
        world.change(id)

    assert world.differ() == {live: (Kind.MISSING, False), ended: (Kind.MISSING, False)}


def test_a_document_that_somebody_changed_is_wrong(world: World) -> None:
    """Under its own revision, and with one of its own."""
    [first, second] = world.submit(2)
    world.index()
    [ended] = world.ended(1)
    world.change(first, status="job-started")
    world.change(ended, error="it was not me")
    store = MemoryStore()
    store.write([{**one, "tags": ["x"]} for one in world.store.get([second]) if one is not None])

    assert world.differ() == {first: (Kind.NEWER, False), ended: (Kind.UNARCHIVED, False)}
    assert world.differ(store)[second] == (Kind.OTHER, False)


def test_a_document_that_no_search_finds_is_wrong(world: World) -> None:
    """The store has it, by its id; its index lacks the alias by which readers ask."""
    [ended, hidden] = world.ended(1) + world.ended(1)

    class Veiled(MemoryStore):
        def search(self, query: JobQuery) -> Page:
            page = super().search(query)
            return replace(page, documents=tuple(one for one in page.documents if one["id"] != hidden))

        def find(self, query: JobQuery) -> Found:
            found = super().find(query)
            return replace(found, jobs=tuple(one for one in found.jobs if one[0] != hidden))

    store = Veiled()
    store.write([one for one in world.store.get([ended, hidden]) if one is not None])

    assert world.differ(store) == {hidden: (Kind.HIDDEN, False)}


def test_a_ghost_is_wrong(world: World) -> None:
    """A job shown as live that no ledger knows."""
    [id] = world.submit(1)
    world.index()
    world.ledger.book.records.pop(id)

    assert world.differ() == {id: (Kind.GHOST, False)}


def test_what_the_store_refused_is_told_with_its_reason(world: World) -> None:
    """A dead letter is no lost document."""
    [id] = world.submit(1)
    world.events.read("indexer", "two", 10, 0)
    world.events.done("indexer", [entry.position for entry in world.events.read("indexer", "two", 10, 0)])
    revision = world.ledger.book.records[id].revision
    world.store.set_aside([DeadLetter(id, revision, "too deep", 1)])
    world.clock.advance(1)

    [found] = verifying.verify(world.sides(), Counts(), _nothing)

    assert (found.kind, found.late, found.reason) == (Kind.SET_ASIDE, False, "too deep")


def test_what_may_lie_on_this_hosts_disk_is_late(world: World) -> None:
    """A spilled document is not lost; one that differs in content is wrong all the same."""
    [ended] = world.ended(1)
    world.change(ended)
    world.spilled = 1

    assert world.differ() == {ended: (Kind.MISSING, True)}


def test_a_job_that_changes_during_the_comparison_is_not_taken_for_wrong(world: World) -> None:
    """It was indexed between the looks, or is changed just then."""
    ids = world.submit(3)
    world.index()

    class Busy(MemoryArchive):
        """Read after the other walks: meanwhile the system goes on."""

        def read(self, note: Callable[[str], None]) -> Any:
            world.ledger.cancel(ids[:1])
            world.index()
            world.clock.advance(0.01)
            world.ledger.cancel(ids[1:2])
            return super().read(note)

    world.archive = Busy()
    found = world.differ()

    assert found in ({}, {ids[1]: (Kind.OLDER, True)})


def test_a_purged_job_stays_away_and_is_not_missed(world: World) -> None:
    """The archive has its document, and the mark that it was purged."""
    [id] = world.ended(1)
    [document] = world.store.get([id])
    assert document is not None
    world.archive.append([purge(id, document["revision"])])

    assert world.differ() == {id: (Kind.PURGED, False)}
    world.change(id)
    assert world.differ() == {}
    assert world.differ(_rebuilt(world)[0]) == {}


def test_a_purge_counts_wherever_its_mark_stands_in_the_archive(world: World) -> None:
    """Segments are read by when they were begun: the mark may stand in an older one than the document, or a document
    came late from a host's disk."""
    [id] = world.ended(1)
    [document] = world.store.get([id])
    assert document is not None
    world.archive = MemoryArchive()
    world.archive.append([purge(id, document["revision"]), document])

    assert world.differ() == {id: (Kind.PURGED, False)}
    world.change(id)
    assert world.differ() == {}
    assert world.differ(_rebuilt(world)[0]) == {}


def _rebuilt(world: World) -> tuple[Store, Made]:
    store, made = MemoryStore(), Made()
    rebuilding.from_archive(world.archive, Target(store, world.ledger), made, _nothing)
    rebuilding.from_ledger(world.ledger, store, made, _nothing)
    return store, made


def test_a_store_that_was_lost_is_made_again_whole(world: World) -> None:
    """Ended jobs from the archive, all others from the ledger; then nothing differs, and again it changes nothing."""
    world.ended(450)
    world.ended(5, forget=False)
    world.submit(7)
    world.index()

    store, made = _rebuilt(world)

    assert (made.read, made.projected, made.written, made.refused) == (455, 12, 462, 0)
    assert world.differ(store) == {}
    again = Made()
    rebuilding.from_archive(world.archive, Target(store, world.ledger), again, _nothing)
    assert (again.written, again.held) == (0, 455)


class Emptied(MemoryStore):
    """A cluster that was lost, and its upkeep: it has the indices that were made since."""

    def __init__(self) -> None:
        super().__init__()
        self.there: set[int] = set()

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        if lacking := {one.get("generation", 1) for one in documents} - self.there:
            raise NotInitialised("store", f"no indices of {lacking}")
        return super().write(documents)

    def init(self, oldest: int, current: int) -> tuple[str, ...]:
        self.there |= set(range(oldest, current + 1))
        return ()

    def all(self) -> tuple[Index, ...]:
        raise NotImplementedError

    def drop(self, resource: Resource, generation: int) -> bool:
        raise NotImplementedError


def test_from_the_archive_alone_all_is_made_again(world: World) -> None:
    """Ledger and cluster were both lost: indices of generations that the new ledger never had are made with it, and
    it goes on from the newest."""
    first = world.ended(1)
    world.ledger.roll(7, 6)
    last = world.ended(2)
    store, made, ledger = Emptied(), Made(), MemoryLedger(1_000, world.clock)

    rebuilding.from_archive(world.archive, Target(store, ledger, store), made, _nothing)

    assert (made.written, store.there, ledger.generations().current) == (3, {1, 7}, 7)
    assert None not in store.get([*first, *last])


def test_what_is_over_does_not_come_back(world: World) -> None:
    """Documents of generations that retention has dropped."""
    world.ended(2)
    world.ledger.roll(2, 2)
    [kept] = world.ended(1)

    store, made = _rebuilt(world)

    assert (made.dropped, made.written) == (2, 1)
    assert store.get([kept])[0] is not None


def test_what_a_store_refuses_becomes_a_dead_letter_and_the_rest_is_made(world: World) -> None:
    """With the reason, for whoever asked."""
    world.ended(2)
    world.archive.append([{"id": "bad", "revision": 7, "status": "job-failed", "job": float("nan")}])

    store, made = _rebuilt(world)

    assert (made.written, made.refused) == (2, 1)
    assert made.reasons[0].startswith("job bad: ")
    assert [letter.id for letter in store.dead_letters(9)] == ["bad"]


def test_what_ended_before_there_was_an_archive_is_brought_into_it(world: World) -> None:
    """Once, and nothing of purged or live jobs; then nothing differs, and a lost store is made again whole."""
    kept, world.archive = world.archive, MemoryArchive()
    old = world.ended(450)
    world.archive = kept
    [purged, *_] = world.ended(3)
    world.submit(2)
    world.index()
    [document] = world.store.get([purged])
    assert document is not None
    world.archive.append([purge(purged, document["revision"])])
    world.change(purged)
    assert set(world.differ().values()) == {(Kind.UNARCHIVED, False)}

    assert backfilling.fill(world.store, world.archive, pytest.fail, _nothing) == len(old)
    assert backfilling.fill(world.store, world.archive, pytest.fail, _nothing) == 0

    assert world.differ() == {}
    assert world.differ(_rebuilt(world)[0]) == {}


def test_a_store_is_copied_into_another_kind_and_back(world: World, tmp_path: Path) -> None:
    """Documents, dead letters, workers and events; the copy of the copy is the first one's like."""
    world.ended(250)
    world.submit(3)
    world.index()
    world.store.set_aside([DeadLetter("gone", 5, "why", 1)])
    told = [
        {
            "id": f"{resource} {number}",
            "resource": resource,
            "type": "x",
            "status": "s",
            "revision": 10 + number,
        }
        for resource in (WORKER, EVENT)
        for number in range(300)
    ]
    first = End(world.store, MemoryChronicle())
    first.chronicle.write(told)
    second = End(SqliteStore(tmp_path / "s.db"), MemoryChronicle())
    third = End(MemoryStore(), MemoryChronicle())
    made = Made()

    assert copying.copy(first, second, world.ledger, made, _nothing) == 600
    assert copying.copy(second, third, world.ledger, Made(), _nothing) == 600

    assert (made.read, made.written, made.refused) == (253, 253, 0)
    assert world.differ(second.store) == {}
    assert world.differ(third.store) == {}
    assert third.store.dead_letters(9) == (DeadLetter("gone", 5, "why", 1),)
    second.store.close()


def test_events_whose_index_was_dropped_are_not_copied(world: World) -> None:
    """Nor are jobs; a worker's document belongs to no generation."""
    source, target = (End(MemoryStore(), MemoryChronicle()) for _ in range(2))
    told = {"type": "x", "status": "s", "revision": 5}
    source.chronicle.write(
        [
            {"id": "w", "resource": WORKER, **told},
            {"id": "old", "resource": EVENT, "generation": 1, **told},
            {"id": "new", "resource": EVENT, "generation": 2, **told},
        ]
    )
    world.ledger.roll(2, 2)
    made = Made()

    assert copying.copy(source, target, world.ledger, made, _nothing) == 2
    assert made.dropped == 1
    assert [one["id"] for one in target.chronicle.search(ChronicleQuery(EVENT)).documents] == ["new"]


def test_a_sheet_keeps_the_newest_note_of_each_side() -> None:
    """Of ids in any script, over all parts."""
    with Sheet(parts=3) as sheet:
        for number in range(50):
            sheet.note(Side.ARCHIVE, f"jöb\n{number}", Seen(2, "b", True))
            sheet.note(Side.ARCHIVE, f"jöb\n{number}", Seen(1, "a"))
        sheet.note(Side.STREAM, "jöb\n7", Seen(9, ""))
        sheet.note(Side.STREAM, "jöb\n7", Seen(8, ""))

        found = {id: views for part in sheet.parts() for id, views in part.items()}

    assert len(found) == 50
    assert found["jöb\n7"] == Views(archive=Seen(2, "b", True), pending=9)
    assert Difference("a", Kind.OLDER, Views()).late is False
