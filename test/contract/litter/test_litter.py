"""What is left to be removed on hosts, in memory and on Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hysds.adapters.ledger.litter_memory import MemoryLitter
from hysds.adapters.ledger.litter_redis import RedisLitter
from hysds.adapters.ledger.server import Server
from hysds.ports.litter import Ground, Litter
from services.redis import RedisServer

HERE = Ground("host", "/var/lib/hysds: work")


@pytest.fixture(params=["memory", "valkey"])
def litter(request: pytest.FixtureRequest) -> Iterator[Litter]:
    """Empty."""
    if request.param == "memory":
        yield MemoryLitter()
        return
    running: RedisServer = request.getfixturevalue("valkey_server")
    running.flush()
    server = Server(running.unix_url)
    yield RedisLitter(server, "t")
    server.close()


def _all(litter: Litter, ground: Ground) -> dict[str, int]:
    found: dict[str, int] = {}
    cursor, is_first = "", True
    while cursor or is_first:
        is_first = False
        cursor, part = litter.lying(ground, cursor)
        found |= part
    return found


def test_what_is_left_lies_there_until_it_is_swept(litter: Litter) -> None:
    """Of one host and root, not of another; a repeat changes nothing."""
    litter.leave(HERE, {"a": 1, "b": 2})
    litter.leave(HERE, {"b": 2, "c": 3})
    litter.leave(Ground("host", "/elsewhere"), {"d": 4})
    litter.leave(HERE, {})

    assert _all(litter, HERE) == {"a": 1, "b": 2, "c": 3}
    litter.swept(HERE, ("a", "b", "unknown"))
    litter.swept(HERE, ())
    assert _all(litter, HERE) == {"c": 3}
    assert _all(litter, Ground("other", HERE.root)) == {}


def test_much_of_it_is_told_in_parts(litter: Litter) -> None:
    """All of it, whatever is swept on the way."""
    jobs = {f"job-{number}": number for number in range(3_000)}
    litter.leave(HERE, jobs)

    assert _all(litter, HERE) == jobs
    cursor, is_first = "", True
    while cursor or is_first:
        is_first = False
        cursor, part = litter.lying(HERE, cursor)
        litter.swept(HERE, tuple(part))
    assert _all(litter, HERE) == {}
