"""What every shelf for published rules does: in memory, on Valkey, on Debian's Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from hysds.adapters.ledger.journal_memory import MemoryJournal
from hysds.adapters.ledger.journal_redis import RedisJournal
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.rules_memory import MemoryRuleShelf
from hysds.adapters.ledger.rules_redis import RedisRuleShelf
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Internal
from hysds.core.happenings import EVENT
from hysds.core.requests import Acceptance
from hysds.core.rules.published import EMPTY, rules_of
from hysds.core.rules.rule import On, Rule
from hysds.ports.events import Events
from hysds.ports.journal import Happening, Journal
from hysds.ports.ledger import Ledger
from hysds.ports.rules import GROUP, RuleShelf

_ALL = {"match_all": {}}
JOBS = rules_of([Rule("jobs", _ALL, "job:x", params={"x": "ü"}, since_ms=5)])
BOTH = rules_of([*JOBS.rules.values(), Rule("events", _ALL, "action:retry", on=On.EVENT, repeats=2)])
OFF = rules_of(replace(one, enabled=False) for one in BOTH.rules.values())


@dataclass(frozen=True)
class World:
    """A shelf and the streams of the same system."""

    shelf: RuleShelf
    ledger: Ledger
    events: Events
    journal: Journal


def _in_memory() -> World:
    ledger = MemoryLedger(1_000_000, lambda: 1_700_000_000_000_000)
    events, journal = MemoryEvents(ledger), MemoryJournal(ledger, 1_000_000)
    return World(MemoryRuleShelf(events, journal), ledger, events, journal)


def _on(server: Server) -> World:
    events, journal = RedisEvents(server, "t"), RedisJournal(server, "t", 1_000_000)
    return World(RedisRuleShelf(server, "t"), RedisLedger(server, "t", 1_000_000), events, journal)


@pytest.fixture(params=["memory", "valkey", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """An empty one of each kind."""
    if request.param == "memory":
        yield _in_memory()
        return
    server = Server(request.getfixturevalue(f"{request.param}_server").unix_url)
    yield _on(server)
    server.close()


def _happen(world: World, number: int) -> None:
    """A job is accepted and something happens beside it."""
    id_ = f"00000000-0000-4000-8000-{number:012}"
    world.ledger.accept([Acceptance(id_, "d", "{}", "q", "1s")])
    world.journal.tell([Happening(id_, EVENT, "odd", "told", at_ms=number)])


def _read(read: Callable[..., Any]) -> int:
    return len(read(GROUP, "m", 10, 0, begins=False))


def test_a_new_shelf_holds_nothing(world: World) -> None:
    """No digest, no rules."""
    assert (world.shelf.digest(), world.shelf.published()) == ("", None)


def test_what_was_published_is_what_is_read(world: World) -> None:
    """The latest, whole, under its digest."""
    assert world.shelf.publish(JOBS, "")
    assert world.shelf.publish(BOTH, JOBS.digest)

    assert world.shelf.digest() == BOTH.digest
    assert world.shelf.published() == BOTH


def test_of_two_who_replace_the_same_one_comes_second(world: World) -> None:
    """Whoever saw what no longer stands there changes nothing; a publication may be repeated."""
    assert world.shelf.publish(JOBS, "")

    assert not world.shelf.publish(BOTH, "")
    assert world.shelf.published() == JOBS
    assert world.shelf.publish(JOBS, "")


def test_rules_see_what_happens_once_they_are_published(world: World) -> None:
    """Nothing from before, however much of it the streams still hold."""
    _happen(world, 1)
    assert (_read(world.events.read), _read(world.journal.read)) == (0, 0)
    world.shelf.publish(BOTH, "")
    assert (_read(world.events.read), _read(world.journal.read)) == (0, 0)
    _happen(world, 2)

    assert (_read(world.events.read), _read(world.journal.read)) == (1, 1)


def test_a_stream_is_kept_for_rules_only_while_one_needs_it(world: World) -> None:
    """Another reader's done entries go, unless a rule that is enabled has still to see them."""
    world.shelf.publish(JOBS, "")
    _happen(world, 1)
    for stream in (world.events, world.journal):
        stream.done("indexer", [one.position for one in stream.read("indexer", "i", 10, 0)])

    assert (world.events.trim(), world.journal.trim()) == (0, 1)
    world.shelf.publish(rules_of([]), JOBS.digest)
    assert world.events.trim() == 1


def test_disabled_rules_need_no_stream(world: World) -> None:
    """What happens while they are off is nobody's."""
    world.shelf.publish(BOTH, "")
    _happen(world, 1)
    world.shelf.publish(OFF, BOTH.digest)
    _happen(world, 2)
    world.shelf.publish(BOTH, OFF.digest)
    _happen(world, 3)

    assert [one.event.id[-1] for one in world.events.read(GROUP, "m", 10, 0, begins=False)] == ["3"]
    assert [one.happening.id[-1] for one in world.journal.read(GROUP, "m", 10, 0, begins=False)] == ["3"]


def test_more_rules_leave_what_others_have_still_to_see(world: World) -> None:
    """A rule more, and the same set again, move no group."""
    world.shelf.publish(JOBS, "")
    _happen(world, 1)
    world.shelf.publish(BOTH, JOBS.digest)
    world.shelf.publish(BOTH, BOTH.digest)

    assert _read(world.events.read) == 1


def test_an_empty_set_can_be_published(world: World) -> None:
    """All rules were removed."""
    assert world.shelf.publish(EMPTY, "")

    assert world.shelf.published() == EMPTY


@pytest.mark.parametrize("key", ["rules", "events", "journal"])
def test_a_key_of_another_type_is_left_as_it_is(valkey_server, key: str) -> None:
    """The script checks before it writes anything."""
    server = Server(valkey_server.unix_url)
    server.send("SET", f"{{t}}:{key}", "mine")

    with pytest.raises(Internal, match="should be a"):
        RedisRuleShelf(server, "t").publish(BOTH, "")
    assert server.send("GET", f"{{t}}:{key}") == "mine"
    assert server.send("DBSIZE") == 1
    server.close()


def test_rules_that_nobody_here_can_read_are_told(valkey_server) -> None:
    """A later HySDS wrote them, say."""
    server = Server(valkey_server.unix_url)
    shelf = RedisRuleShelf(server, "t")
    server.send("HSET", "{t}:rules", "digest", "x", "rules", '[{"name": "x", "odd": 1}]')

    with pytest.raises(Internal, match="can't be read"):
        shelf.published()
    assert shelf.publish(JOBS, "x")
    server.close()
