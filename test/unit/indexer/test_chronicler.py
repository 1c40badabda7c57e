"""What the chronicler makes of the journal: documents, once each, whatever is away or odd."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hysds.adapters.ledger.journal_memory import MemoryJournal
from hysds.adapters.ledger.memory import MemoryLedger, wall_us
from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.adapters.store.chronicle_memory import MemoryChronicle
from hysds.adapters.store.memory import MemoryStore
from hysds.core.errors import NotInitialised, Unreachable
from hysds.core.generations import Generations
from hysds.core.happenings import EVENT, WORKER, Happening
from hysds.core.metric_names import Metric
from hysds.indexer.chronicler import Chronicler, Keeping, Shelves
from hysds.lib import clocks
from hysds.lib.transport_retry import Persistence
from hysds.ports.chronicle import ChronicleQuery, Document, Written


class Awkward(MemoryChronicle):
    """A chronicle that can be away, lack its index, or fail on one document."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = self.lacks_index = False

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        if self.is_away:
            raise Unreachable("store", "away")
        if self.lacks_index:
            raise NotInitialised("store", "no index")
        if any(one["type"] == "poison" for one in documents):
            raise RuntimeError("a bug")
        return super().write(documents)


class World:
    """A chronicler in memory. Its clock stands at `now_s`."""

    def __init__(self, **keeping: float) -> None:
        self.now_s = 100.0
        self.journal = MemoryJournal(MemoryLedger(60_000, wall_us), 10_000)
        self.chronicle, self.store, self.metrics = Awkward(), MemoryStore(), MemoryMetrics()
        told = Keeping("me", patience_s=0, persistence=Persistence(attempts=1), **keeping)  # type: ignore[arg-type]
        shelves = Shelves(self.chronicle, self.store)
        self.chronicler = Chronicler(
            self.journal, shelves, told, self.metrics, self.prepare, lambda: self.now_s
        )

    def prepare(self) -> Generations:
        """What makes the index."""
        self.chronicle.lacks_index = False
        return Generations()

    def found(self, resource: str = EVENT) -> list[str]:
        """Ids of documents."""
        return [one["id"] for one in self.chronicle.search(ChronicleQuery(resource)).documents]


def _event(id_: str, type_: str = "thing", at_ms: int | None = None) -> Happening:
    return Happening(id_, EVENT, type_, "seen", clocks.wall_ms() if at_ms is None else at_ms, "host")


def test_each_happening_becomes_a_document_and_is_done() -> None:
    """Workers and events; nothing is left to do, and the metrics say so."""
    world = World()
    world.journal.tell([_event("a"), Happening("celery@w", WORKER, "worker-online", "worker-online", 1_000)])

    assert world.chronicler.step() == 2

    assert (world.found(EVENT), world.found(WORKER)) == (["a"], ["celery@w"])
    assert world.journal.backlog("chronicler") == 0
    assert world.metrics.numbers(Metric.HAPPENINGS)[(WORKER,)] == 1
    assert world.chronicler.step() == 0


def test_while_the_chronicle_is_away_entries_wait() -> None:
    """And come when it is back."""
    world = World()
    world.journal.tell([_event("a")])
    world.chronicle.is_away = True
    with pytest.raises(Unreachable):
        world.chronicler.step()

    world.chronicle.is_away = False

    assert world.chronicler.step() == 1
    assert world.found() == ["a"]


def test_an_index_that_is_missing_is_made_first() -> None:
    """A lost cluster needs no command."""
    world = World()
    world.journal.tell([_event("a")])
    world.chronicle.lacks_index = True

    assert world.chronicler.step() == 1
    assert world.found() == ["a"]


def test_a_document_that_can_not_be_written_is_set_aside_with_its_reason() -> None:
    """The others of its batch are written."""
    world = World()
    world.journal.tell([_event("a"), _event("bad", "poison"), _event("b")])

    assert world.chronicler.step() == 3

    assert sorted(world.found()) == ["a", "b"]
    [letter] = world.store.dead_letters(10)
    assert (letter.id, letter.reason) == ("bad", "RuntimeError: a bug")
    assert world.metrics.numbers(Metric.INDEXED)[("set-aside",)] == 1


def test_what_another_left_is_taken_over() -> None:
    """A chronicler that was killed had read it and not written it."""
    world = World(adopt_after_s=0.0)
    world.journal.tell([_event("a")])
    world.journal.read("chronicler", "dead", 10, 0)

    assert world.chronicler.step() == 1
    assert world.found() == ["a"]


def test_old_documents_are_deleted_and_the_journal_is_trimmed() -> None:
    """Each resource after its own time; None keeps all."""
    world = World(event_retention_s=60.0)
    world.journal.tell([_event("old", at_ms=1_000), _event("new")])
    world.journal.tell([Happening("celery@w", WORKER, "worker-offline", "worker-offline", 1_000)])

    world.chronicler.step()

    assert world.found(EVENT) == ["new"]
    assert world.found(WORKER) == ["celery@w"]
    assert world.journal.follow("", 10, 0) == ()


def test_what_the_journal_had_to_drop_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """From the first look of this process on."""
    world = World()
    world.chronicler.step()
    world.journal.tell([_event(f"e{number}") for number in range(500)])
    world.now_s += 10

    while world.chronicler.step():
        world.now_s += 10

    assert world.metrics.numbers(Metric.JOURNAL_DROPPED)[()] == world.journal.dropped() > 0
    assert "happenings have no document" in caplog.text
