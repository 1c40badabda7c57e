"""What comes after its index was dropped: a dead letter, never an index made anew, and it holds nobody up."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.store.memory import MemoryStore
from hysds.core.errors import NotInitialised
from hysds.core.generations import Generations
from hysds.core.happenings import EVENT, WORKER
from hysds.core.requests import Acceptance
from hysds.indexer import projection
from hysds.indexer.indexer import Indexer, Pace
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.store import Document, Writing, Written
from hysds.testing import FakeClock

_SPEC = json.dumps({"job_type": "job:x", "payload": {}})


class Dropped(MemoryStore):
    """A store that has the indices of some generations."""

    def __init__(self, *there: int) -> None:
        super().__init__()
        self.there = set(there)

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        if any(one.get("generation", 0) not in self.there for one in documents):
            raise NotInitialised("store", "no such index")
        return super().write(documents)


def test_a_late_event_of_a_dropped_index_is_a_dead_letter_and_the_rest_goes_on() -> None:
    """An ended job is linked to its retry after its index has gone: the event is done with, the record may go."""
    clock = FakeClock()
    ledger, new_id = MemoryLedger(1_000, clock), Uuid7Source(lambda: clock() // 1000)
    events, store = MemoryEvents(ledger), Dropped(1)
    indexer = Indexer(events, ledger, store, Pace("one", patience_s=0.0))
    old = new_id()
    ledger.accept([Acceptance(old, "d", _SPEC, "q", "1s")])
    ledger.cancel([old])
    indexer.step()
    ledger.roll(2, 2)
    store.there = {2}
    retry = Acceptance(new_id(), "e", _SPEC, "q", "1s", retry_of=old)
    ledger.accept([retry])

    done = indexer.step()

    assert (done.projected.written, done.projected.set_aside) == (1, 1)
    assert events.backlog("indexer") == 0
    assert ledger.book.records[old].confirmed
    [letter] = store.dead_letters(9)
    assert letter.id == old
    assert "its index was dropped" in letter.reason


def test_an_index_that_is_only_missing_is_not_taken_for_a_dropped_one() -> None:
    """A lost cluster must not turn into dead letters."""
    with pytest.raises(NotInitialised):
        projection.timely([_told(2)], Dropped(), Generations(1, 2), NotInitialised("store", "no such index"))
    with pytest.raises(NotInitialised):
        projection.timely(
            [_told(1), _told(2)], Dropped(), Generations(2, 2), NotInitialised("store", "no such index")
        )


def test_answers_stand_in_the_order_of_the_documents() -> None:
    """A worker's document is of no generation, and never late."""
    worker = {**_told(0), "resource": WORKER}
    documents = [_told(3), _told(1), worker, _told(2), _told(1)]
    lack = NotInitialised("store", "no such index")

    answers = projection.timely(documents, Dropped(0, 2, 3), Generations(2, 3), lack)

    assert [one.how for one in answers] == [
        Writing.WRITTEN,
        Writing.REFUSED,
        Writing.WRITTEN,
        Writing.WRITTEN,
        Writing.REFUSED,
    ]


_ids = iter(range(1_000))


def _told(generation: int) -> Document:
    return {
        "id": f"id {next(_ids)}",
        "revision": 5,
        "status": "job-queued",
        "resource": EVENT,
        "generation": generation,
    }
