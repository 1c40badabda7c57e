"""Whatever happens in whatever order, documents only get newer, and in the end they are what the ledger says."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.store.memory import MemoryStore
from hysds.core.errors import Unreachable
from hysds.core.floor_requests import Fit
from hysds.core.requests import Acceptance, Bid, Commit
from hysds.core.status import LIVE, OFFLINE, Status
from hysds.indexer.indexer import Indexer, Pace
from hysds.ports.store import Document, Written

_IDS = tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(4))
_STEPS = ("submit", "claim", "commit", "cancel", "forget", "crash", "wait", "outage", "failover", "lose")
_STORIES = st.lists(
    st.tuples(st.sampled_from((*_STEPS, "submit", *["step"] * 5)), st.integers(0, 7)),
    min_size=10,
    max_size=60,
)


class _Brittle(MemoryStore):
    """A store that is away, or gets the documents and loses its answer, when told."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = ""
        self.newest: dict[str, int] = {}

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        fails, self.fails = self.fails, ""
        if fails == "before":
            raise Unreachable("store", "away")
        answers = super().write(documents)
        for document in self.get([str(document["id"]) for document in documents]):
            if document is not None:
                assert document["revision"] >= self.newest.get(document["id"], 0)
                self.newest[document["id"]] = document["revision"]
        if fails == "after":
            raise Unreachable("store", "its answer was lost")
        return answers


class _World:
    """A ledger, a store, two indexers, and everything that may happen to them."""

    def __init__(self) -> None:
        self.us = 1_767_225_600_000_000
        self.ledger = MemoryLedger(1_000, lambda: self.us)
        self.events = MemoryEvents(self.ledger, lambda: self.us / 1e6)
        self.store = _Brittle()
        self.indexers = [
            Indexer(
                self.events,
                self.ledger,
                self.store,
                Pace(name, batch=3, patience_s=0, ghosts_every_s=10),
                lambda: self.us / 1e6,
            )
            for name in ("one", "two")
        ]
        self.fences: dict[str, int] = {}

    def happen(self, what: str, which: int) -> None:
        self.us += 700_000
        getattr(self, what)(_IDS[which % len(_IDS)], which)

    def submit(self, id_: str, _: int) -> None:
        self.ledger.accept([Acceptance(id_, "d", '{"job_type":"x","payload":{}}', "q", "1s")])

    def claim(self, _: str, __: int) -> None:
        lease = self.ledger.claim(Bid("w", ("q",), Fit(now=("1s",)), str(self.us), 30_000, 60_000)).lease
        if lease is not None:
            self.fences[lease.record.id] = lease.record.fence

    def commit(self, _: str, which: int) -> None:
        """End one of the attempts that run; every other time with a detail that no document can be built from."""
        for id_ in sorted(self.fences)[:1]:
            detail = "no JSON" if which % 2 else "{}"
            self.ledger.commit(Commit(id_, self.fences.pop(id_), Status.COMPLETED, detail=detail))

    def cancel(self, id_: str, _: int) -> None:
        self.ledger.cancel([id_])

    def forget(self, _: str, __: int) -> None:
        self.ledger.forget(self.ledger.retirable(10))

    def crash(self, _: str, which: int) -> None:
        """An indexer is given entries and never heard of again."""
        self.events.read("indexer", f"dead {which}", 2, 0)

    def wait(self, _: str, __: int) -> None:
        self.us += 10_000_000

    def outage(self, _: str, which: int) -> None:
        self.store.fails = ("before", "after")[which % 2]

    def failover(self, id_: str, which: int) -> None:
        """The store holds a revision that the ledger has forgotten; then the job goes on there."""
        if self.ledger.kept([id_]) != (None,):
            future = {"id": id_, "revision": self.us + 1 + which * 1_000_000, "status": "job-started"}
            MemoryStore.write(self.store, [future])
            self.ledger.touch(id_, 0)

    def lose(self, id_: str, _: int) -> None:
        """Another failover: the ledger has never heard of the job."""
        book = self.ledger.book
        for shelf in (book.records, book.specs, book.attempts, book.errors, book.retire):
            shelf.pop(id_, None)
        book.places.mend(id_, None)
        self.fences.pop(id_, None)

    def step(self, _: str, which: int) -> None:
        self.indexers[which % 2].step()

    def settle(self) -> None:
        """Nothing more happens, and the indexers have all the time that they need."""
        self.store.fails = ""
        quiet = 0
        while quiet < 2:
            self.us += 40_000_000
            found = [indexer.step().ghosts for indexer in self.indexers]
            is_quiet = not self.events.backlog("indexer") and not any(
                one.ended or one.known_again for one in found
            )
            quiet = quiet + 1 if is_quiet else 0


@settings(max_examples=500, deadline=None)
@given(_STORIES)
def test_documents_end_where_the_ledger_is(story: list[tuple[str, int]]) -> None:
    """Crashes, outages, lost answers, lost futures, lost jobs: each record has its document or its letter, and is
    confirmed; what has no record is shown as live nowhere.
    """
    world = _World()
    for what, which in story:
        with contextlib.suppress(Unreachable):
            world.happen(what, which)
    world.settle()

    letters = {letter.id: letter.revision for letter in world.store.dead_letters(100)}
    for kept, document in zip(world.ledger.kept(_IDS), world.store.get(_IDS), strict=True):
        if kept is None:
            assert document is None or document["status"] not in {*LIVE, OFFLINE}
            continue
        record = kept.record
        if letters.get(record.id) != record.revision:
            assert document is not None
            assert document["revision"] == record.revision
            assert document["status"] == record.status.value
        assert record.confirmed == record.status.is_terminal
