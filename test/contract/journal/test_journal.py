"""What every journal does: in memory, on Valkey, on Debian's Redis."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from hysds.adapters.ledger.journal_memory import MemoryJournal
from hysds.adapters.ledger.journal_redis import RedisJournal
from hysds.adapters.ledger.journal_size import ENTRY_BYTES
from hysds.adapters.ledger.memory import MemoryLedger, wall_us
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.server import Server
from hysds.core import chronicle_query
from hysds.core.errors import Full
from hysds.core.happenings import MAX_EVENT, MAX_NAME, Happening, document, encoded
from hysds.ports.journal import Journal, Note
from hysds.ports.ledger import Ledger
from services.redis import RedisOptions, RedisServer

Make = Callable[..., Journal]


@pytest.fixture(params=["memory", "valkey", "redis"])
def parts(request: pytest.FixtureRequest) -> Iterator[tuple[Ledger, Make]]:
    """A ledger of each kind, and what makes one empty journal beside it, which holds so many bytes."""
    if request.param == "memory":
        memory = MemoryLedger(60_000, wall_us)
        yield memory, lambda most_bytes=10**6: MemoryJournal(memory, most_bytes)
        memory.close()
        return
    server = Server(request.getfixturevalue(f"{request.param}_server").unix_url)
    yield RedisLedger(server, "t", 60_000), lambda most_bytes=10**6: RedisJournal(server, "t", most_bytes)
    server.close()


@pytest.fixture
def ledger(parts: tuple[Ledger, Make]) -> Ledger:
    """The journal's ledger."""
    return parts[0]


@pytest.fixture
def make(parts: tuple[Ledger, Make]) -> Make:
    """Makes one empty journal of each kind, which holds so many bytes."""
    return parts[1]


@pytest.fixture
def journal(make: Make) -> Journal:
    """An empty journal."""
    return make()


def _event(number: int, **changes: object) -> Happening:
    plain = Happening(
        f"id-{number}", "event", "thing-happened", "seen", 1_000 + number, "host-1", generation=1
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def _ids(notes: tuple[Note, ...]) -> list[str]:
    return [note.happening.id for note in notes]


def test_what_was_told_is_read_as_it_was(journal: Journal) -> None:
    """Every field, in order."""
    whole = _event(1, tags=("a", "b"), event={"deep": {"list": [1, 2.5, None, "ü"]}}, generation=3)

    assert journal.tell([whole, _event(2)]) == 2

    assert [note.happening for note in journal.read("g", "a", 10, 0)] == [whole, _event(2)]


def test_an_event_is_born_in_the_generation_in_which_it_was_told(ledger: Ledger, make: Make) -> None:
    """Whoever reads it later, and again, finds the same; a worker's document belongs to none."""
    journal = make()
    journal.tell([_event(1, generation=0)])
    ledger.roll(3, 2)
    journal.tell(
        [_event(2, generation=0), _event(3, generation=2), _event(4, generation=0, resource="worker")]
    )

    notes = journal.follow("", 10, 0)

    assert [note.happening.generation for note in notes] == [1, 3, 2, 0]


def test_the_same_happening_is_entered_once(journal: Journal) -> None:
    """Two reconcilers, or one that repeats, tell one thing; another time of the same id is another thing."""
    assert journal.tell([_event(1), _event(1)]) == 1
    assert journal.tell([_event(1), _event(1, at_ms=5_000)]) == 1

    assert [note.happening.at_ms for note in journal.read("g", "a", 10, 0)] == [1_001, 5_000]


def test_members_of_a_group_share_the_entries_and_each_group_gets_all(journal: Journal) -> None:
    """As with the event stream."""
    journal.tell([_event(number) for number in range(4)])

    first, second = journal.read("g", "a", 3, 0), journal.read("g", "b", 10, 0)

    assert _ids(first) + _ids(second) == ["id-0", "id-1", "id-2", "id-3"]
    assert len(journal.read("other", "a", 10, 0)) == 4
    assert _ids(journal.read("g", "a", 10, 0)) == _ids(first)
    assert _ids(journal.adopt("g", "b", 0, 10)) == _ids(first)


def test_the_backlog_is_what_is_not_done(journal: Journal) -> None:
    """Given or not; of a group that never read, all."""
    journal.tell([_event(number) for number in range(5)])
    given = journal.read("g", "a", 3, 0)
    journal.done("g", [note.position for note in given[:2]])

    assert journal.backlog("g") == 3
    assert journal.backlog("nobody") == 5
    assert journal.trim() == 2
    assert journal.backlog("g") == 3
    assert journal.backlog("nobody") == 3
    journal.done("g", [note.position for note in journal.read("g", "a", 10, 0)])
    assert journal.backlog("g") == 0


def test_a_full_journal_drops_the_oldest_and_counts_what_nobody_had_done(make: Make) -> None:
    """What every group has done with goes first, uncounted; the newest always stay."""
    journal = make(most_bytes=2_000)
    journal.tell([_event(number) for number in range(4)])
    journal.done("g", [note.position for note in journal.read("g", "a", 2, 0)])
    kept = journal.read("g", "a", 1, 0)

    journal.tell([_event(number) for number in range(4, 40)])

    left = journal.follow("", 100, 0)
    assert _ids(left) == [f"id-{number}" for number in range(40 - len(left), 40)]
    assert 5 < len(left) < 20
    assert journal.dropped() == 40 - 2 - len(left)
    assert journal.backlog("g") == len(left), kept
    assert _ids(journal.read("g", "a", 100, 0)) == _ids(left)
    assert journal.backlog("g") == len(left)


def test_all_kinds_keep_the_same_entries(make: Make) -> None:
    """The bound counts the same bytes everywhere: of ten entries of one length, as many as fit."""
    size_bytes = len(encoded(_event(10))) + ENTRY_BYTES
    journal = make(most_bytes=3 * size_bytes)
    journal.tell([_event(10 + number) for number in range(10)])

    assert _ids(journal.follow("", 100, 0)) == ["id-17", "id-18", "id-19"]
    assert journal.dropped() == 7


def test_a_group_that_left_holds_nothing_back(journal: Journal) -> None:
    """And begins anew with the oldest entry when it reads again; to leave twice is harmless."""
    journal.tell([_event(1), _event(2)])
    journal.read("gone", "a", 1, 0)
    journal.done("g", [note.position for note in journal.read("g", "a", 10, 0)])
    assert journal.trim() == 0

    journal.leave("gone")
    journal.leave("gone")

    assert journal.trim() == 2
    journal.tell([_event(3)])
    assert _ids(journal.read("gone", "a", 10, 0)) == ["id-3"]


def test_only_one_of_two_turns_a_mark_and_tells(journal: Journal) -> None:
    """The other is told that it was second, and nothing is entered for it."""
    assert journal.turn("w1", "", "online", [_event(1)])
    assert not journal.turn("w1", "", "online", [_event(2)])
    assert journal.turn("w1", "online", "offline", [_event(3)])
    assert journal.turn("w2", "", "online", [])

    assert journal.marks() == {"w1": "offline", "w2": "online"}
    assert _ids(journal.follow("", 10, 0)) == ["id-1", "id-3"]
    assert journal.turn("w1", "offline", "", [])
    assert journal.marks() == {"w2": "online"}


def test_what_is_too_large_or_no_text_is_made_to_fit(journal: Journal) -> None:
    """A bound event has a note, a long name is cut, half characters become question marks, no nan is left."""
    odd = _event(
        1, type="t" * 5_000, hostname="\ud800", tags=("x" * 5_000,), event={"a": float("nan"), "b": 1 << 70}
    )
    journal.tell([odd, _event(2, event={"text": "x" * (MAX_EVENT + 1)})])

    first, second = (note.happening for note in journal.read("g", "a", 10, 0))
    assert (len(first.type), first.hostname, len(first.tags[0])) == (MAX_NAME, "?", MAX_NAME)
    assert first.event == {"a": None, "b": -1}
    assert list(second.event) == ["note"]


def test_many_are_told_at_once(journal: Journal) -> None:
    """More than one step of the server takes."""
    assert journal.tell([_event(number) for number in range(1_234)]) == 1_234
    assert journal.backlog("g") == 1_234


def test_a_reader_waits_for_the_first_entry(journal: Journal) -> None:
    """Another thread's telling ends the wait, of groups and of followers from the end."""
    journal.tell([_event(0)])
    end, answers = journal.end(), list[list[str]]()
    waits = [
        threading.Thread(target=lambda: answers.append(_ids(journal.follow(end, 10, 30)))),
        threading.Thread(target=lambda: answers.append(_ids(journal.follow(end, 10, 30)))),
    ]
    for wait in waits:
        wait.start()

    journal.tell([_event(1)])
    for wait in waits:
        wait.join(30)

    assert answers == [["id-1"], ["id-1"]]


def test_a_server_without_memory_to_spare_takes_nothing_and_counts_it(
    start_valkey: Callable[[RedisOptions], RedisServer],
) -> None:
    """The last eighth is the jobs': telling neither fails nor fills it; marks still turn."""
    running = start_valkey(RedisOptions(maxmemory_bytes=20_000_000))
    server = Server(running.unix_url)
    with contextlib.suppress(Full):
        for number in range(20):
            server.send("SET", f"ballast-{number}", "x" * 1_000_000)
    journal = RedisJournal(server, "t", 10**6)

    assert journal.tell([_event(1), _event(2)]) == 0
    assert journal.turn("w1", "", "online", [_event(3)])

    assert (journal.dropped(), journal.backlog("g")) == (3, 0)
    assert journal.marks() == {"w1": "online"}
    server.close()


def test_an_entry_that_nobody_can_read_is_told_as_such_and_holds_up_none(redis_server: RedisServer) -> None:
    """A foreign program wrote into the stream: the others are read, and the documents say what happened."""
    server = Server(redis_server.unix_url)
    journal = RedisJournal(server, "t", 10**6)
    journal.tell([_event(1)])
    odd_texts = (
        "no json", "[1]", "{}",
        '{"id": "", "resource": "event", "at_ms": 1}', '{"id": "i", "resource": "x", "at_ms": 1}',
        '{"id": "i", "resource": "event", "at_ms": 1e999}', '{"id": "i", "resource": "event", "at_ms": "x"}',
    )  # fmt: skip
    for field, text in (("x", "y"), *(("h", text) for text in odd_texts)):
        server.send("XADD", "{t}:journal", "*", field, text)

    first, *odd = (note.happening for note in journal.read("g", "a", 10, 0))

    assert first.id == "id-1"
    assert [one.type for one in odd] == ["journal-unreadable"] * 8
    assert len({one.id for one in odd}) == 8
    assert "no json" in odd[1].event["reason"]
    server.close()


def test_an_entry_out_of_all_bounds_has_a_document_all_the_same(redis_server: RedisServer) -> None:
    """A foreign program wrote a time beyond the calendar and half characters: what can be kept of it is."""
    server = Server(redis_server.unix_url)
    journal = RedisJournal(server, "t", 10**6)
    text = '{"id": "i\\ud800", "resource": "event", "at_ms": 99999999999999999999, "event": {"x": NaN, "\\ud800": 1}}'
    server.send("XADD", "{t}:journal", "*", "h", text, "g", "1")

    [note] = journal.read("g", "a", 10, 0)

    told = document(note.happening)
    assert (told["id"], told["timestamp"][:4], told["event"]) == ("i?", "9999", {"x": None, "?": 1})
    assert chronicle_query.objection(told) == ""
    server.close()


def test_a_happening_that_is_none_is_refused_where_it_is_told(journal: Journal) -> None:
    """Without an id, or of no resource: a mistake of whoever tells."""
    for wrong in (_event(1, id=""), _event(1, resource="job")):
        with pytest.raises(ValueError, match="a happening has an id"):
            journal.tell([wrong])
    assert journal.backlog("g") == 0
