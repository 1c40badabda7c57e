"""What every roster does: in memory, on Valkey, on Debian's Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hysds.adapters.ledger.memory import wall_us
from hysds.adapters.ledger.roster_memory import MemoryRoster
from hysds.adapters.ledger.roster_redis import RedisRoster
from hysds.adapters.ledger.server import Server
from hysds.ports.roster import Roster


@pytest.fixture(params=["memory", "valkey", "redis"])
def roster(request: pytest.FixtureRequest) -> Iterator[Roster]:
    """An empty roster of each kind."""
    if request.param == "memory":
        yield MemoryRoster(wall_us)
        return
    server = Server(request.getfixturevalue(f"{request.param}_server").unix_url)
    yield RedisRoster(server, "t")
    server.close()


def test_who_signed_stands_in_the_roster_once(roster: Roster) -> None:
    """By role and member, however often each signs."""
    for member in ("b/1", "a/1", "b/1"):
        roster.sign("indexer", member)
    roster.sign("reconciler", "a/1")

    assert [(one.role, one.member) for one in roster.signatures()] == [
        ("indexer", "a/1"),
        ("indexer", "b/1"),
        ("reconciler", "a/1"),
    ]
    assert all(0 <= one.ago_ms < 60_000 for one in roster.signatures())


def test_who_was_struck_stands_there_no_more(roster: Roster) -> None:
    """And the same member of another role does; to strike twice changes nothing."""
    roster.sign("indexer", "a/1")
    roster.sign("reconciler", "a/1")

    roster.strike("indexer", "a/1")
    roster.strike("indexer", "a/1")

    assert [(one.role, one.member) for one in roster.signatures()] == [("reconciler", "a/1")]


def test_a_host_whose_clock_is_an_hour_ahead_signs_so(valkey_server) -> None:
    """The difference is measured by whoever signs, against the server's clock."""
    server = Server(valkey_server.unix_url)
    RedisRoster(server, "t", lambda: wall_us() // 1000 + 3_600_000).sign("indexer", "a/1")

    [one] = RedisRoster(server, "t").signatures()
    assert abs(one.ahead_ms - 3_600_000) < 60_000
    assert one.ago_ms < 60_000
    server.close()
