"""Entries that a failover or a bug left without their record: both ledgers mend them in the step that meets them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from contract.ledger.side_by_side import SideBySide, audited
from hysds.adapters.ledger.server import Server
from services.redis import RedisServer

_CALM = range(1, 36)
"""Steps that claim, renew, commit, and those that come with time; no audit, which would mend all at once."""


@pytest.fixture
def both(valkey_server: RedisServer) -> Iterator[tuple[SideBySide, Any]]:
    server = Server(valkey_server.unix_url)
    client = redis.Redis.from_url(valkey_server.unix_url, decode_responses=True, protocol=2)
    yield SideBySide(server, client, "t"), client
    client.close()
    server.close()


def _haunt(both: SideBySide, client: Any, number: int) -> None:
    """Put the same ghosts into both ledgers: before all others, so that each step meets them."""
    places, shape = both.memory.book.places, ("1s", "2s")[number % 2]
    ready, due, lease = f"ghost r{number}", f"ghost d{number}", f"ghost l{number}"
    places.ready.setdefault(("alpha", shape), []).insert(0, (-number, ready))
    client.zadd(f"{{t}}:ready:alpha:{shape}", {ready: -number})
    client.sadd("{t}:shapes:alpha", shape)
    client.sadd("{t}:queues", "alpha")
    places.due[due] = 1
    client.zadd("{t}:due", {due: 1})
    places.leases[lease] = 0
    client.zadd("{t}:lease", {lease: 0})


@pytest.mark.parametrize("seed", range(6))
def test_no_step_stumbles_over_a_ghost_or_hands_it_out(both: tuple[SideBySide, Any], seed: int) -> None:
    """Whatever is done, both answer alike and hold the same, and an audit finds what nobody met, once."""
    side_by_side, client = both
    numbers = random.Random(seed)
    for number in range(150):
        if number % 10 == 5:
            _haunt(side_by_side, client, number)
        rest = (numbers.randrange(1_000) for _ in range(4))
        side_by_side.take((numbers.choice(_CALM), *rest))  # type: ignore[arg-type]
    _haunt(side_by_side, client, 151)

    found, expected = audited(side_by_side.other), audited(side_by_side.memory)

    assert sorted(found) == sorted(expected)
    assert len(found) >= 3
    assert audited(side_by_side.other) == audited(side_by_side.memory) == []
