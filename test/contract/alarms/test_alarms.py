"""What every shelf of alarms does: in memory, on Valkey, on Debian's Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hysds.adapters.ledger.alarms_memory import MemoryAlarms
from hysds.adapters.ledger.alarms_redis import RedisAlarms
from hysds.adapters.ledger.memory import wall_us
from hysds.adapters.ledger.server import Server
from hysds.core.alarms import Alarm, stepped
from hysds.ports.alarms import Alarms
from services.redis import RedisServer

_LONG_MS = 60_000


@pytest.fixture(params=["memory", "valkey", "redis"])
def shelf(request: pytest.FixtureRequest) -> Iterator[Alarms]:
    """An empty one of each kind."""
    if request.param == "memory":
        yield MemoryAlarms(wall_us)
        return
    server = Server(request.getfixturevalue(f"{request.param}_server").unix_url)
    yield RedisAlarms(server, "t")
    server.close()


def made(key: str, **changes: object) -> Alarm:
    return replace(Alarm(key, "queue-stuck", "queue é\n", "is stuck", 1_000, 1_000), **changes)  # type: ignore[arg-type]


def test_what_was_put_is_there_as_it_was(shelf: Alarms) -> None:
    """All of it, by key, with the server's time."""
    one = made(
        "b", hint="h", worker="w", job="j", over_ms=7, is_noted=True, is_settled=True, told={"mail": 1 << 44}
    )
    assert shelf.put(one)
    assert shelf.put(made("a"))

    now_ms, found = shelf.all()
    assert found == (made("a"), one)
    assert abs(now_ms - wall_us() // 1000) < _LONG_MS


def test_only_over_the_revision_before_it(shelf: Alarms) -> None:
    """Of two who see the same trouble, or change the same alarm, the second is told."""
    first, second = made("a"), made("a", what="is stuck too")
    assert shelf.put(first)
    assert not shelf.put(second)

    assert shelf.put(stepped(first, over_ms=5))
    assert not shelf.put(stepped(first, is_noted=True))
    assert not shelf.put(stepped(made("b")))

    assert shelf.all()[1] == (stepped(first, over_ms=5),)


def test_a_repeat_of_a_put_is_harmless(shelf: Alarms) -> None:
    """Its answer may have got lost."""
    assert shelf.put(made("a"))
    assert shelf.put(made("a"))


def test_an_alarm_is_dropped_at_its_revision_alone(shelf: Alarms) -> None:
    """Whoever saw an older one does not know that it stands again."""
    shelf.put(made("a"))
    shelf.put(stepped(made("a")))

    assert not shelf.drop(made("a"))
    assert shelf.drop(stepped(made("a")))
    assert not shelf.drop(stepped(made("a")))
    assert shelf.all()[1] == ()


def test_one_member_at_a_time_has_a_turn(shelf: Alarms) -> None:
    """Who has it may lengthen it; the turn of another name is another."""
    assert shelf.take_turn("mail", "r/1", _LONG_MS)

    assert not shelf.take_turn("mail", "r/2", _LONG_MS)
    assert shelf.take_turn("mail", "r/1", _LONG_MS)
    assert shelf.take_turn("hook", "r/2", _LONG_MS)


def test_after_a_turn_nobody_takes_the_next_for_a_while(shelf: Alarms) -> None:
    """Neither another nor who had it."""
    shelf.take_turn("mail", "r/1", _LONG_MS)
    shelf.end_turn("mail", "r/1", _LONG_MS)

    assert not shelf.take_turn("mail", "r/1", _LONG_MS)
    assert not shelf.take_turn("mail", "r/2", _LONG_MS)


def test_a_turn_without_a_rest_is_anybodys_at_once(shelf: Alarms) -> None:
    """And who has no turn ends none."""
    shelf.take_turn("mail", "r/1", _LONG_MS)
    shelf.end_turn("mail", "r/2", 0)
    assert not shelf.take_turn("mail", "r/2", _LONG_MS)

    shelf.end_turn("mail", "r/1", 0)

    assert shelf.take_turn("mail", "r/2", _LONG_MS)


def test_a_turn_of_a_dead_member_ends_by_itself(shelf: Alarms) -> None:
    """Once its time is over."""
    shelf.take_turn("mail", "r/1", 20)

    until_s = time.monotonic() + 60
    while not shelf.take_turn("mail", "r/2", _LONG_MS):
        assert time.monotonic() < until_s


def test_what_cannot_be_read_is_left_alone(
    valkey_server: RedisServer, unique_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry of a later HySDS hides no other, and is logged once, however often somebody looks."""
    server = Server(valkey_server.unix_url)
    shelf = RedisAlarms(server, unique_name)
    shelf.put(made("a"))
    for key, text in {"x": "3 no json", "y": '1 {"key": "y", "colour": 1}', "z": '1 {"told": 3}'}.items():
        server.send("HSET", f"{{{unique_name}}}:alarms", key, text)

    assert [shelf.all()[1] for _ in range(3)] == [(made("a"),)] * 3
    assert len(caplog.records) == 3
    server.close()
