"""What every shelf of schedules does: in memory, on Valkey, on Debian's Redis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hysds.adapters.ledger.memory import wall_us
from hysds.adapters.ledger.schedules_memory import MemorySchedules
from hysds.adapters.ledger.schedules_redis import RedisSchedules
from hysds.adapters.ledger.server import Server
from hysds.core import schedule as rules
from hysds.core.schedule import CatchUp, Firing, Schedule
from hysds.ports.schedules import Schedules


@pytest.fixture(params=["memory", "valkey", "redis"])
def shelf(request: pytest.FixtureRequest) -> Iterator[Schedules]:
    """An empty one of each kind."""
    if request.param == "memory":
        yield MemorySchedules(wall_us)
        return
    server = Server(request.getfixturevalue(f"{request.param}_server").unix_url)
    yield RedisSchedules(server, "t")
    server.close()


def made(name: str, next_ms: int = 1 << 44) -> Schedule:
    return Schedule(name, "* * * * *", "UTC", '{"é": "\\n"}', 1_000, next_ms)


def test_what_was_put_is_there_as_it_was(shelf: Schedules) -> None:
    """All of it, by name."""
    one = replace(
        made("b"), catch_up=CatchUp.ALL, pending=Firing(7, "x"), last=Firing(5, "y"), error="é\n", fired=3
    )
    assert shelf.put(one, None)
    assert shelf.put(made("a"), None)

    assert shelf.all() == (made("a"), one)


def test_only_over_the_revision_that_it_was_made_from(shelf: Schedules) -> None:
    """Of two who change one schedule, the second is told."""
    assert shelf.put(made("a"), None)
    first, second = rules.paused(made("a")), replace(made("a"), error="x", revision=1)

    assert not shelf.put(made("a", 5), None)
    assert shelf.put(first, 0)
    assert not shelf.put(second, 0)
    assert shelf.all() == (first,)


@pytest.mark.parametrize("kind", ["valkey", "redis"])
@pytest.mark.parametrize(
    "text", ["", "0 ", "0 [1]", '0 {"name": "x"}', "0 {", '0 {"pending": 1, "last": null}']
)
def test_what_can_t_be_read_concerns_no_other(kind: str, text: str, request: pytest.FixtureRequest) -> None:
    """Another program, or a later version, wrote it."""
    running = request.getfixturevalue(f"{kind}_server")
    server = Server(running.unix_url)
    shelf = RedisSchedules(server, "t")
    assert shelf.put(made("a", 5), None)
    server.send("HSET", "{t}:schedules", "b", text)
    server.send("ZADD", "{t}:schedules:due", "1", "b")

    assert shelf.all() == (made("a", 5),)
    assert shelf.due(10)[1] == (made("a", 5),)
    assert shelf.unreadable() == ("b",)
    assert shelf.drop("b")
    assert shelf.unreadable() == ()
    server.close()


def test_a_repeat_is_harmless(shelf: Schedules) -> None:
    """Whoever got no answer asks again."""
    changed = rules.paused(made("a"))
    assert [shelf.put(made("a"), None), shelf.put(made("a"), None)] == [True, True]

    assert [shelf.put(changed, 0), shelf.put(changed, 0)] == [True, True]


def test_those_are_due_whose_time_has_come(shelf: Schedules) -> None:
    """The oldest first, as many as asked for; none that is paused, and any whose tick is being fired."""
    pending = replace(made("pending"), pending=Firing(3_000, "x"), paused=True)
    for one in (made("late", 2_000), made("later", 4_000), made("far"), pending):
        assert shelf.put(one, None)
    assert shelf.put(rules.paused(made("paused", 1_000)), None)

    now_ms, due = shelf.due(10)
    assert abs(now_ms - wall_us() // 1000) < 60_000
    assert [one.name for one in due] == ["late", "pending", "later"]
    assert [one.name for one in shelf.due(1)[1]] == ["late"]


def test_what_was_dropped_is_gone(shelf: Schedules) -> None:
    """Whatever stood there."""
    assert shelf.put(made("a", 1_000), None)

    assert [shelf.drop("b"), shelf.drop("a"), shelf.drop("a")] == [False, True, False]
    assert (shelf.all(), shelf.due(10)[1]) == ((), ())
