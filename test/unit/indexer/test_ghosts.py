"""Documents of live jobs that the ledger does not know: found, ended, and overtaken by whatever is newer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.store.memory import MemoryStore
from hysds.core import ghosts, moments
from hysds.core.errors import Internal, Unreachable
from hysds.core.floor_requests import Fit
from hysds.core.query import JobQuery
from hysds.core.requests import Acceptance, Bid, Commit
from hysds.core.status import Status
from hysds.indexer.ghosts import Found, Ghosts
from hysds.indexer.indexer import Indexer, Pace
from hysds.ports.ledger import Kept

_SPEC = '{"job_type":"job:x","payload":{}}'


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


class _Ledger(MemoryLedger):
    """A ledger that is away when told, and lets something happen behind its next answer."""

    is_away = False
    unreadable = ""
    """A job whose record it can't read."""
    then: Callable[[], object] | None = None

    def kept(self, ids: Sequence[str]) -> tuple[Kept | None, ...]:
        if self.is_away:
            raise Unreachable("ledger", "away for the test")
        if self.unreadable in ids:
            raise Internal(f"job {self.unreadable}: the ledger's record is unreadable")
        answer = super().kept(ids)
        then, self.then = self.then, None
        if then is not None:
            then()
        return answer


@dataclass
class _House:
    """A store, and ledgers one after the other; `us` is the time of all clocks but those that a test sets apart."""

    us: int = 1_767_225_600_000_000
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.lose()

    def now_s(self) -> float:
        return self.us / 1e6

    def lose(self, behind_s: int = 0) -> None:
        """Another ledger takes over, which knows nothing and whose clock may be behind."""
        self.ledger = _Ledger(1_000, lambda: self.us - behind_s * 1_000_000)
        self.events = MemoryEvents(self.ledger, self.now_s)
        self.indexer = self.new_indexer()

    def new_indexer(self) -> Indexer:
        pace = Pace("one", patience_s=0.0, ghosts_every_s=60)
        return Indexer(self.events, self.ledger, self.store, pace, self.now_s)

    def new_ghosts(self) -> Ghosts:
        return Ghosts(self.ledger, self.store, 60, self.now_s)

    def submit(self, *numbers: int) -> None:
        self.ledger.accept([Acceptance(_id(number), "d", _SPEC, "gpu", "1s") for number in numbers])

    def start(self) -> tuple[str, int]:
        lease = self.ledger.claim(Bid("w", ("gpu",), Fit(now=("1s",)), f"n{self.us}", 30_000, 60_000)).lease
        assert lease is not None
        return lease.record.id, lease.record.fence

    def pass_s(self, seconds: float) -> None:
        self.us += round(seconds * 1_000_000)

    def index(self) -> None:
        """Until all that happened is written."""
        while self.indexer.step().entries:
            pass

    def shown(self, number: int = 1) -> dict[str, Any]:
        [document] = self.store.get([_id(number)])
        assert document is not None
        return document

    def revision(self, number: int = 1) -> int:
        [kept] = self.ledger.kept([_id(number)])
        assert kept is not None
        return kept.record.revision


@pytest.fixture
def house() -> _House:
    return _House()


def test_what_only_a_lost_ledger_knew_ends_and_what_is_known_goes_on(house: _House) -> None:
    """Queued and started jobs alike; the same walk leaves the jobs of the new ledger alone."""
    house.submit(1, 2)
    house.start()
    house.index()
    house.lose()
    house.submit(3)
    house.index()
    house.pass_s(61)

    found = house.indexer.step().ghosts

    assert (found.looked, found.ended, found.known_again) == (5, 2, 0)
    assert [house.shown(number)["status"] for number in (1, 2, 3)] == [
        "job-failed",
        "job-failed",
        "job-queued",
    ]
    assert house.shown(1)["error"] == ghosts.ERROR


def test_a_record_that_is_unreadable_holds_up_no_other_job(house: _House) -> None:
    """Others' documents are written, and their ghosts end; it is none itself until the ledger has set it aside."""
    house.submit(1, 2)
    house.index()
    house.lose()
    house.submit(3, 4)
    house.ledger.unreadable = _id(3)
    house.index()
    house.pass_s(61)
    house.ledger.unreadable = _id(1)

    assert house.indexer.step().ghosts.ended == 1
    assert [house.shown(number)["status"] for number in (1, 2, 4)] == [
        "job-queued",
        "job-failed",
        "job-queued",
    ]
    assert house.store.get([_id(3)]) == (None,)


def test_what_was_written_just_now_is_left_to_the_next_walk(house: _House) -> None:
    """A minute later it is ended."""
    house.submit(1)
    house.index()
    house.lose()
    house.pass_s(10)

    assert house.indexer.step().ghosts == Found(looked=1)
    house.pass_s(59)
    assert house.indexer.step().ghosts == Found()
    house.pass_s(2)
    assert house.indexer.step().ghosts.ended == 1


def test_a_ledger_that_does_not_answer_ends_nobody(house: _House) -> None:
    """The same page is looked at once it does."""
    house.submit(1)
    house.index()
    house.lose()
    house.pass_s(60)
    house.ledger.is_away = True
    for _ in range(2):
        with pytest.raises(Unreachable):
            house.indexer.step()
    assert house.shown()["status"] == "job-queued"

    house.ledger.is_away = False

    assert house.indexer.step().ghosts.ended == 1


def test_several_indexers_end_a_job_once(house: _House) -> None:
    """The slower one's write finds the end already there."""
    house.submit(1)
    house.index()
    house.lose()
    house.pass_s(60)
    first, second = house.new_ghosts(), house.new_ghosts()
    house.ledger.then = first.look

    found = second.look()

    assert found.ended == 0
    assert house.shown()["status"] == "job-failed"


def test_a_job_that_ended_and_was_forgotten_behind_the_search_keeps_its_end(house: _House) -> None:
    """The page was of a moment before: the write loses against the last revision."""
    house.submit(1)
    house.index()
    house.pass_s(60)
    stale = house.store.search(JobQuery())
    house.ledger.commit(Commit(*house.start(), Status.COMPLETED))
    house.index()
    house.pass_s(60)
    assert house.ledger.forget(house.ledger.retirable(10)) == (_id(1),)

    class _Late(MemoryStore):
        def search(self, query: JobQuery) -> Any:
            return stale if query.status == {"job-queued"} else house.store.search(query)

        def write(self, documents: Any) -> Any:
            return house.store.write(documents)

    found = Ghosts(house.ledger, _Late(), 60, house.now_s).look()

    assert (found.looked, found.ended) == (1, 0)
    assert house.shown()["status"] == "job-completed"


def test_an_end_is_archived_before_it_is_written(house: _House) -> None:
    """An archive that is away lets the document wait: an end that the store has is never looked at again."""
    house.submit(1)
    house.index()
    house.lose()
    house.pass_s(61)
    kept: list[Any] = []

    def away(documents: Any) -> None:
        raise Unreachable("archive", "asleep")

    assert Ghosts(house.ledger, house.store, 60, house.now_s, away).look().ended == 0
    assert house.shown()["status"] == "job-queued"
    assert Ghosts(house.ledger, house.store, 60, house.now_s, kept.extend).look().ended == 1

    assert kept == [house.shown()]


@pytest.mark.parametrize("behind_s", [0, 3_600])
def test_a_job_that_is_handed_in_again_stands_above_the_end(house: _House, behind_s: int) -> None:
    """Under the same id, also where the new ledger's clock is behind the lost one's."""
    house.submit(1)
    house.index()
    house.lose(behind_s)
    house.pass_s(60)
    assert house.indexer.step().ghosts.ended == 1

    house.submit(1)
    house.index()

    assert (house.shown()["status"], house.shown()["revision"]) == ("job-queued", house.revision())


def test_a_job_that_is_handed_in_behind_the_question_is_shown_as_it_is(house: _House) -> None:
    """Even where clocks have brought it to the very revision of the end: it is raised above that."""
    house.submit(1)
    house.index()
    before = house.shown()["revision"]
    house.lose(behind_s=3_600)
    house.pass_s(60)

    def again() -> None:
        house.submit(1)
        house.ledger.touch(_id(1), before)
        assert house.revision() == before + 1

    house.ledger.then = again

    assert house.indexer.step().ghosts.known_again == 1
    house.index()
    assert (house.shown()["status"], house.shown()["revision"]) == ("job-queued", house.revision())


def test_a_ledger_that_is_put_back_shows_its_jobs_again(house: _House) -> None:
    """Within a day of their ends, by the next walk; nothing else has to happen to them."""
    house.submit(1)
    house.index()
    known, events = house.ledger, house.events
    house.lose()
    house.pass_s(60)
    assert house.indexer.step().ghosts.ended == 1
    house.ledger, house.events = known, events
    house.indexer = house.new_indexer()
    house.pass_s(3_600)

    assert house.indexer.step().ghosts.known_again == 1
    house.index()

    assert (house.shown()["status"], house.shown()["revision"]) == ("job-queued", house.revision())
    house.pass_s(60)
    assert house.indexer.step().ghosts == Found(looked=1)


def test_a_job_whose_end_could_not_be_written_is_told_apart(house: _House) -> None:
    """The ledger confirmed and forgot it; its letter says what was wrong, and so does the end."""
    house.submit(1)
    house.index()
    house.ledger.commit(Commit(*house.start(), Status.COMPLETED, detail="no JSON"))
    house.index()
    house.pass_s(60)
    house.ledger.forget(house.ledger.retirable(10))

    assert house.indexer.step().ghosts.ended == 1

    assert house.shown()["error"].startswith("how it ended is not known: its last document")
    assert "JSONDecodeError" in house.shown()["error"]


def test_a_walk_goes_page_by_page_and_rests_at_its_end(house: _House) -> None:
    """The newest jobs first; no look takes more than two pages, and the next walk begins after the interval."""
    ids = [_id(number) for number in range(1, 451)]
    for start, status in ((0, "job-queued"), (150, "job-started")):
        house.store.write(
            [
                {
                    "id": id_,
                    "revision": 1 + at,
                    "status": status,
                    "job": {"job_info": {"time_queued": moments.iso(1_000 + at)}},
                }
                for at, id_ in enumerate(ids[start : 450 if start else 150])
            ]
        )
    walk = house.new_ghosts()

    first = walk.look()
    early = house.store.search(JobQuery(status=frozenset({"job-failed"}), limit=1_000))
    assert walk.look() == Found()
    looks = [first.ended]
    while looks[-1]:
        house.pass_s(1)
        looks.append(walk.look().ended)

    assert {document["id"] for document in early.documents} == set(ids[250:])
    assert sum(looks) == 450
    assert max(looks) <= 400
    assert walk.look() == Found()
    house.pass_s(60)
    assert walk.look().ended == 0


def test_an_end_that_the_store_refuses_is_set_aside(house: _House) -> None:
    """And the others of its page end."""
    huge = {"id": _id(1), "revision": 5, "status": "job-started", "x": "x" * 15_999_850}
    house.store.write([huge, {"id": _id(2), "revision": 5, "status": "job-started"}])

    found = house.new_ghosts().look()

    assert found.ended == 1
    assert house.shown(2)["status"] == "job-failed"
    [letter] = house.store.dead_letters(10)
    assert (letter.id, letter.revision) == (_id(1), 6)
