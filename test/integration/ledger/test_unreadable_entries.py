"""Entries of the event stream that nobody can read: each is set aside with its reason, and holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.server import Server
from hysds.core.requests import Acceptance
from hysds.lib.uuid7 import Uuid7Source
from services.redis import RedisServer

_POISONS: dict[str, tuple[str | bytes, ...]] = {
    "no event": ("a", "b"),
    "a word for a number": ("id", "x", "revision", "soon", "fence", "0", "status", "s", "step", "s"),
    "no text": (b"id", b"\xff\xfe", b"revision", b"1", b"fence", b"0", b"status", b"s", b"step", b"s"),
    "no text beside an event": (
        *["id", "x", "revision", "1", "fence", "0", "status", "s", "step", "s"],
        b"\xff",
        b"\x00",
    ),
}


@dataclass
class _House:
    """A ledger and its stream, and whoever else may write there."""

    server: Server
    prefix: str

    def __post_init__(self) -> None:
        self.ledger = RedisLedger(self.server, self.prefix, 60_000)
        self.events = RedisEvents(self.server, self.prefix)
        self.new_id = Uuid7Source()

    def accept(self) -> str:
        id_ = self.new_id()
        self.ledger.accept([Acceptance(id_, "d", "{}", "gpu", "1s")])
        return id_

    def poison(self, *fields: str | bytes) -> str:
        (key,) = self.server.send("KEYS", f"*{self.prefix}*events")
        return str(self.server.send("XADD", key, "*", *fields))  # type: ignore[arg-type]  # any bytes

    def ids(self, group: str = "index", limit: int = 10) -> list[str]:
        return [entry.event.id for entry in self.events.read(group, "a", limit, 0)]


@pytest.fixture
def house(valkey_server: RedisServer, unique_name: str) -> Iterator[_House]:
    """On the session's Valkey."""
    made = _House(Server(valkey_server.url), unique_name)
    yield made
    made.ledger.close()


@pytest.mark.parametrize("fields", _POISONS.values(), ids=_POISONS)
def test_an_unreadable_entry_is_set_aside_and_all_others_are_read(
    house: _House, fields: tuple[str | bytes, ...]
) -> None:
    """It is done with for the group, and kept with its reason and its position."""
    before = house.accept()
    position = house.poison(*fields)
    after = house.accept()

    assert house.ids() == [before, after]
    assert house.events.backlog("index") == 2
    (kept,) = house.events.unreadable(10)
    assert (kept.position, kept.reason != "", kept.at_ms > 0) == (position, True, True)


def test_each_group_passes_by_and_it_is_kept_once(house: _House) -> None:
    """The stream can be trimmed behind it."""
    house.accept()
    house.poison("a", "b")
    for group in ("index", "rules"):
        house.events.done(group, [entry.position for entry in house.events.read(group, "a", 10, 0)])

    assert len(house.events.unreadable(10)) == 1
    assert house.events.trim() == 2


def test_one_that_a_dead_member_was_given_is_set_aside_by_who_takes_over(house: _House) -> None:
    """Whoever was killed over it is not followed by all others."""
    id_ = house.accept()
    house.poison(b"\xff", b"\xff")
    (key,) = house.server.send("KEYS", f"*{house.prefix}*events")
    house.events.read("index", "first", 1, 0)
    house.server.wait("XREADGROUP", "GROUP", "index", "dead", "STREAMS", key, ">", timeout_s=0, as_bytes=True)
    adopted = house.events.adopt("index", "a", 0, 10)

    assert [entry.event.id for entry in adopted] == [id_]
    assert house.events.backlog("index") == 1
    assert len(house.events.unreadable(10)) == 1


def test_a_waiting_reader_survives_one(house: _House) -> None:
    """It comes while somebody waits for the first entry."""
    house.accept()
    house.events.done("index", [entry.position for entry in house.events.read("index", "a", 10, 0)])
    answers: list[int] = []
    wait = threading.Thread(target=lambda: answers.append(len(house.events.read("index", "a", 10, 30))))
    wait.start()
    house.poison(b"\xff", b"\xff")
    wait.join()

    assert answers == [0]
    assert house.events.backlog("index") == 0


def test_followers_look_past_them(house: _House) -> None:
    """However many come one after the other; nothing is set aside for a watcher."""
    house.accept()
    start = house.events.end()
    for _ in range(7):
        house.poison(b"\xff", b"\xff")
    id_ = house.accept()

    assert [entry.event.id for entry in house.events.follow(start, 3, 0)] == [id_]
    assert [entry.event.id for entry in house.events.follow(start, 3, 5)] == [id_]
    assert house.events.unreadable(10) == ()


def test_no_more_than_a_thousand_are_kept(house: _House) -> None:
    """A program that floods the stream does not fill the ledger's memory twice."""
    house.accept()
    for _ in range(1_010):
        house.poison("a", "b")
    while house.events.backlog("index") > 1:
        house.ids(limit=500)

    assert len(house.events.unreadable(2_000)) == 1_000
