"""The indexer over a ledger and a store in memory: what is written, confirmed and acknowledged, and when nothing is."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.store.memory import MemoryStore
from hysds.core.errors import Unreachable
from hysds.core.floor_requests import Fit
from hysds.core.query import JobQuery
from hysds.core.record import Record
from hysds.core.requests import Acceptance, Bid, Commit
from hysds.core.status import Status
from hysds.indexer.indexer import Indexer, Pace
from hysds.indexer.projection import Projected
from hysds.lib.transport_retry import Persistence
from hysds.ports.ledger import Kept
from hysds.ports.store import Document, Written

_AT_ONCE = Persistence(attempts=2, first_wait_s=0, longest_wait_s=0)


@dataclass
class _Clock:
    """A time that tests move. µs for the ledger, s for what never goes back."""

    us: int = 1_767_225_600_000_000

    def now_us(self) -> int:
        return self.us

    def now_s(self) -> float:
        return self.us / 1e6


class _FaultyStore(MemoryStore):
    """A store that is away for the next `away` writes, breaks on a job, and says when it has written."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 0
        self.breaks_on = ""
        self.written = threading.Event()

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        if self.away:
            self.away -= 1
            raise Unreachable("store", "away for the test")
        if any(document["id"] == self.breaks_on for document in documents):
            raise ZeroDivisionError("this job divides by zero")
        self.written.set()
        return super().write(documents)


class _LateReader:
    """A ledger whose first answer is of a moment before; for the rest it is the ledger itself."""

    def __init__(self, ledger: MemoryLedger, first: tuple[Kept | None, ...]) -> None:
        self._ledger = ledger
        self._first: list[tuple[Kept | None, ...]] = [first]

    def kept(self, ids: Sequence[str]) -> tuple[Kept | None, ...]:
        return self._first.pop() if self._first else self._ledger.kept(ids)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


@dataclass
class _House:
    """A ledger, its stream, a store, and indexers over them."""

    clock: _Clock = field(default_factory=_Clock)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(1_000, self.clock.now_us)
        self.events = MemoryEvents(self.ledger, self.clock.now_s)
        self.store = _FaultyStore()

    def indexer(self, member: str = "one", **pace: Any) -> Indexer:
        settings = {"patience_s": 0.0, "interval_s": 0.0, "persistence": _AT_ONCE, **pace}
        return Indexer(self.events, self.ledger, self.store, Pace(member, **settings), self.clock.now_s)

    def submit(self, *numbers: int, spec: str = '{"job_type":"job:x","payload":{}}') -> list[str]:
        ids = [f"00000000-0000-4000-8000-{number:012}" for number in numbers]
        self.ledger.accept([Acceptance(id_, "d", spec, "gpu", "1s") for id_ in ids])
        return ids

    def finish(self, count: int = 1, detail: str = "{}") -> None:
        """Claim and complete the best jobs."""
        for _ in range(count):
            self.clock.us += 1_000
            bid = Bid("w", ("gpu",), Fit(now=("1s",)), f"n{self.clock.us}", 30_000, 60_000)
            lease = self.ledger.claim(bid).lease
            assert lease is not None
            self.clock.us += 1_000
            self.ledger.commit(Commit(lease.record.id, lease.record.fence, Status.COMPLETED, detail=detail))

    def record(self, id_: str) -> Record:
        (kept,) = self.ledger.kept([id_])
        assert kept is not None
        return kept.record

    def document(self, id_: str) -> dict[str, Any]:
        (document,) = self.store.get([id_])
        assert document is not None
        return document

    def backlog(self) -> int:
        return self.events.backlog("indexer")


@pytest.fixture
def house() -> _House:
    return _House()


def test_the_events_of_a_job_become_one_document(house: _House) -> None:
    """Coalesced: what the job is now, written once, however much happened to it."""
    (id_,) = house.submit(1)
    house.finish()

    done = house.indexer().step()

    assert (done.entries, done.projected.written) == (3, 1)
    assert house.document(id_)["status"] == "job-completed"
    assert house.document(id_)["revision"] == house.record(id_).revision
    assert house.backlog() == 0


def test_a_document_follows_its_job(house: _House) -> None:
    """Each later round writes the newer revision."""
    indexer = house.indexer()
    (id_,) = house.submit(1)
    indexer.step()
    before = house.document(id_)
    house.finish()
    indexer.step()

    assert before["status"] == "job-queued"
    assert house.document(id_)["status"] == "job-completed"


def test_an_ended_job_may_be_forgotten_once_its_document_is_written(house: _House) -> None:
    """And a live one may not; the ledger is told of both what it asked."""
    first, second = house.submit(1, 2)
    house.finish()

    done = house.indexer().step()
    house.clock.us += 2_000_000

    assert done.projected.confirmed == 1
    assert house.ledger.retirable(10) == (first,)
    assert not house.record(second).confirmed


def test_a_store_that_is_away_loses_nothing(house: _House) -> None:
    """Nothing is acknowledged nor confirmed; the same events come again when it is back."""
    (id_,) = house.submit(1)
    house.finish()
    house.store.away = 1
    indexer = house.indexer()

    with pytest.raises(Unreachable):
        indexer.step()
    assert house.backlog() == 3
    assert not house.record(id_).confirmed

    assert indexer.step().projected == Projected(written=1, confirmed=1)
    assert house.backlog() == 0


def test_running_goes_on_through_an_outage_until_told_to_stop(house: _House) -> None:
    """More failures than one round is tried for."""
    house.submit(1)
    house.store.away = 7
    stop = house.store.written

    house.indexer().run(stop)

    assert house.store.search(JobQuery()).total == 1
    assert house.backlog() == 0


def test_running_ends_at_once_when_told_before(house: _House) -> None:
    """Not even one round."""
    house.submit(1)
    stop = threading.Event()
    stop.set()

    house.indexer().run(stop)

    assert house.backlog() == 1


def test_a_stop_during_an_outage_is_heard(house: _House) -> None:
    """Although the store never comes back."""
    house.submit(1)
    house.store.away = 1_000_000
    stop = threading.Event()
    thread = threading.Thread(target=house.indexer().run, args=(stop,))
    thread.start()
    stop.set()
    thread.join()

    assert house.backlog() == 1


def test_what_a_dead_indexer_was_given_is_adopted(house: _House) -> None:
    """After it left the entries alone for long enough, and not before."""
    (id_,) = house.submit(1)
    house.events.read("indexer", "dead", 10, 0)
    other = house.indexer(adopt_after_s=10.0)

    assert other.step().entries == 0
    house.clock.us += 11_000_000
    assert other.step().projected.written == 1
    assert house.document(id_)["status"] == "job-queued"
    assert house.backlog() == 0


def test_a_crash_between_writing_and_acknowledging_repeats_harmlessly(house: _House) -> None:
    """The store has the revision already; the job is confirmed all the same, and the events are done."""
    (id_,) = house.submit(1)
    house.finish()
    entries = house.events.read("indexer", "dead", 10, 0)
    MemoryStore.write(house.store, [_made(house, id_)])
    house.clock.us += 11_000_000

    done = house.indexer().step()

    assert len(entries) == 3
    assert done.projected == Projected(held=1, confirmed=1)
    assert house.record(id_).confirmed
    assert house.backlog() == 0


def _made(house: _House, id_: str, **changes: Any) -> dict[str, Any]:
    """A document of the job's present revision, as another indexer wrote it."""
    return {"id": id_, "revision": house.record(id_).revision, **changes}


def test_a_document_that_cannot_be_built_is_set_aside_alone(house: _House) -> None:
    """The others are written; the job counts as confirmed, and its letter says why."""
    good, bad = house.submit(1, 2)
    house.finish()
    house.finish(detail="[this is no JSON]")

    done = house.indexer().step()

    assert done.projected == Projected(written=1, set_aside=1, confirmed=2)
    assert house.store.get([good, bad])[1] is None
    (letter,) = house.store.dead_letters(10)
    assert (letter.id, letter.revision) == (bad, house.record(bad).revision)
    assert "JSONDecodeError" in letter.reason
    assert house.backlog() == 0


def test_a_document_that_the_store_refuses_is_set_aside_alone(house: _House) -> None:
    """Here one that is too large for any store."""
    huge = json.dumps({"job_type": "x", "payload": {"a": "x" * 16_000_001}})
    house.submit(1)
    (bad,) = house.submit(2, spec=huge)

    done = house.indexer().step()

    assert (done.projected.written, done.projected.set_aside) == (1, 1)
    assert [letter.id for letter in house.store.dead_letters(10)] == [bad]


def test_a_document_that_breaks_the_store_is_found_and_set_aside(house: _House) -> None:
    """A batch that fails for no reason of the transport is written one by one."""
    ids = house.submit(1, 2, 3)
    house.store.breaks_on = ids[1]

    done = house.indexer().step()

    assert (done.projected.written, done.projected.set_aside) == (2, 1)
    (letter,) = house.store.dead_letters(10)
    assert letter.reason == "ZeroDivisionError: this job divides by zero"
    assert house.backlog() == 0


def test_events_of_a_forgotten_job_are_done(house: _House) -> None:
    """There is nothing left to write."""
    (id_,) = house.submit(1)
    house.finish()
    house.ledger.confirm([(id_, house.record(id_).revision)])
    house.ledger.forget([id_])

    done = house.indexer().step()

    assert (done.entries, done.projected) == (3, Projected())
    assert house.backlog() == 0


def test_a_revision_from_a_lost_future_is_overtaken(house: _House) -> None:
    """A failover undid what the store knows: the record is raised above it, and the next round writes it."""
    (id_,) = house.submit(1)
    house.finish()
    future = house.record(id_).revision + 5_000_000_000
    MemoryStore.write(house.store, [{"id": id_, "revision": future, "status": "job-failed"}])
    indexer = house.indexer()

    first, second = indexer.step(), indexer.step()

    assert first.projected == Projected(held=1, touched=1)
    assert second.projected == Projected(written=1, confirmed=1)
    assert house.document(id_)["status"] == "job-completed"
    assert house.document(id_)["revision"] > future


def test_a_faster_indexer_is_no_lost_future(house: _House) -> None:
    """The store is ahead of what was read, but not of the ledger: nothing is touched, and the end is confirmed."""
    (id_,) = house.submit(1)
    before = house.ledger.kept([id_])
    house.finish()
    MemoryStore.write(house.store, [_made(house, id_, status="job-completed")])
    pace = Pace("late", patience_s=0.0, persistence=_AT_ONCE)
    late: Any = _LateReader(house.ledger, before)

    done = Indexer(house.events, late, house.store, pace, house.clock.now_s).step()

    assert (done.projected.held, done.projected.touched) == (1, 0)
    assert house.record(id_).confirmed
    assert house.document(id_)["status"] == "job-completed"


def test_a_refused_submission_becomes_a_document(house: _House) -> None:
    """Failed as `invalid`, with the refusal's error."""
    item = Acceptance("00000000-0000-4000-8000-000000000009", "d", "{}", "", "1s")
    house.ledger.reject(item, '{"error":"$.payload: missing"}')

    house.indexer().step()

    shown = house.document(item.id)
    assert (shown["status"], shown["failure_class"]) == ("job-failed", "invalid")
    assert shown["error"] == "$.payload: missing"


def test_the_stream_is_trimmed_behind_what_is_done(house: _House) -> None:
    """Now and then, by the clock; what is not acknowledged stays."""
    indexer = house.indexer(trim_every_s=5.0)
    house.submit(1, 2)
    first = indexer.step()
    house.submit(3)
    second = indexer.step()
    house.clock.us += 6_000_000
    third = indexer.step()

    assert (first.trimmed, second.trimmed, third.trimmed) == (2, 0, 1)


def test_a_round_reads_no_more_than_its_batch(house: _House) -> None:
    """The rest comes in the next rounds, in order."""
    house.submit(*range(5))
    indexer = house.indexer(batch=2)

    assert [indexer.step().entries for _ in range(4)] == [2, 2, 1, 0]


def test_a_batch_beyond_one_step_of_the_ledger_is_projected_whole(house: _House) -> None:
    """More jobs than one atomic step takes."""
    house.submit(*range(1_100))

    assert house.indexer(batch=5_000).step().projected.written == 1_100


def test_two_indexers_share_the_events(house: _House) -> None:
    """Each is given entries that the other is not, and together they write all."""
    house.submit(*range(4))
    one, two = house.indexer("one", batch=2), house.indexer("two", batch=2)

    assert (one.step().projected.written, two.step().projected.written) == (2, 2)
    assert house.store.search(JobQuery()).total == 4
