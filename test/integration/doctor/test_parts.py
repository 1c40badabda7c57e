"""Every finding of the adapters' own checks, provoked on real servers and files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hysds.adapters.bell import health as bell_health
from hysds.adapters.bell.celery import CeleryBell
from hysds.adapters.engines import health as engine_health
from hysds.adapters.ledger.health import LedgerHealth
from hysds.adapters.ledger.server import ONCE, Server
from hysds.adapters.store import sqlite_health
from hysds.adapters.store.sqlite import SqliteStore
from hysds.core.errors import Unreachable
from hysds.lib import clocks
from hysds.ports.bell import MANY
from hysds.ports.findings import Finding, Severity
from hysds.ports.store import DeadLetter
from hysds.settings.model import Settings
from hysds.settings.servers import Broker
from services.redis import Appendfsync, RedisOptions, RedisServer

Start = Callable[[RedisOptions], RedisServer]


@pytest.fixture
def examine() -> Iterator[Callable[..., dict[str, Finding]]]:
    """A look at a server, by the codes of its findings."""
    servers = []

    def look(running: RedisServer, ahead_ms: int = 0) -> dict[str, Finding]:
        server = Server(running.url, None, 2.0, ONCE)
        servers.append(server)
        health = LedgerHealth(server, "t", lambda: clocks.wall_ms() + ahead_ms)
        return {one.code: one for one in health.check()}

    yield look
    for server in servers:
        server.close()


def _send(running: RedisServer, *command: str) -> None:
    server = Server(running.url)
    server.send(*command)
    server.close()


def test_a_server_as_it_should_be_has_nothing_to_be_mended(start_valkey: Start, examine) -> None:
    """Durable, bounded, on time: no finding is worse than ok."""
    found = examine(start_valkey(RedisOptions(Appendfsync.ALWAYS, maxmemory_bytes=100_000_000)))

    assert {one.severity for one in found.values()} == {Severity.OK}
    assert "survives a power loss" in found["ledger.durable"].what


def test_what_a_server_keeps_over_a_crash_is_told(start_valkey: Start, examine) -> None:
    """No append-only file is a warning, a second's loss a note, no fsync at all a warning."""
    assert examine(start_valkey(RedisOptions()))["ledger.forgets"].severity is Severity.WARNING

    running = start_valkey(RedisOptions(Appendfsync.EVERYSEC))
    assert "last 2 s" in examine(running)["ledger.durable"].what

    _send(running, "CONFIG", "SET", "appendfsync", "no")
    assert examine(running)["ledger.fsync"].severity is Severity.WARNING


def test_a_server_that_deletes_keys_is_an_error(start_valkey: Start, examine) -> None:
    """With the policy, and what to set."""
    running = start_valkey(RedisOptions())
    _send(running, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")

    found = examine(running)["ledger.evicts"]
    assert found.severity is Severity.ERROR
    assert "allkeys-lru" in found.what
    assert "noeviction" in found.mend


def test_a_server_that_is_full_is_told_before_and_when(start_valkey: Start, examine) -> None:
    """A warning near the bound, an error at it; no bound is a note."""
    running = start_valkey(RedisOptions())
    assert examine(running)["ledger.unbounded"].severity is Severity.NOTE

    _send(running, "SET", "ballast", "x" * 20_000_000)
    _send(running, "CONFIG", "SET", "maxmemory", "26000000")
    assert examine(running)["ledger.full"].severity is Severity.WARNING

    _send(running, "CONFIG", "SET", "maxmemory", "20000000")
    assert examine(running)["ledger.full"].severity is Severity.ERROR


def test_clocks_that_disagree_are_a_warning(valkey_server: RedisServer, examine) -> None:
    """Which way, and by how much."""
    assert examine(valkey_server)["ledger.clock"].severity is Severity.OK

    found = examine(valkey_server, ahead_ms=-7_200_000)["ledger.clock"]

    assert found.severity is Severity.WARNING
    assert "7200.0 s behind" in found.what


def test_a_replica_is_told_from_both_sides(start_valkey: Start, examine) -> None:
    """It takes no writes itself, and of its primary a failover may undo some."""
    primary, replica = start_valkey(RedisOptions()), start_valkey(RedisOptions())
    _send(replica, "REPLICAOF", "127.0.0.1", str(primary.port))

    assert examine(replica)["ledger.replica"].severity is Severity.ERROR
    while "ledger.failover" not in (found := examine(primary)):
        assert "ledger.replicas" not in found
    assert found["ledger.failover"].severity is Severity.NOTE
    _send(primary, "CONFIG", "SET", "min-replicas-to-write", "1")
    assert examine(primary)["ledger.replicas"].severity is Severity.OK


def test_a_lease_of_a_job_that_is_not_started_is_found_and_left_alone(
    valkey_server: RedisServer, examine
) -> None:
    """As a bug or a hand might leave it."""
    assert examine(valkey_server)["ledger.leases"].severity is Severity.OK
    _send(valkey_server, "ZADD", "{t}:lease", "1", "j1")

    found = examine(valkey_server)["ledger.leases"]

    assert found.severity is Severity.WARNING
    assert "j1" in found.what
    assert examine(valkey_server)["ledger.leases"] == found


def test_a_server_that_is_not_there_is_unreachable(start_valkey: Start, examine) -> None:
    """Whoever looks at all parts tells it from one that answers badly."""
    running = start_valkey(RedisOptions())
    running.kill()

    with pytest.raises(Unreachable):
        examine(running)


def test_a_store_is_told_as_new_as_whole_and_as_damaged(tmp_path: Path) -> None:
    """Looking makes no file, and repairs none."""
    path = tmp_path / "jobs.db"
    assert [one.code for one in sqlite_health.check(path)] == ["store.new"]
    assert not path.exists()

    store = SqliteStore(path)
    store.get(["x"])
    assert {one.severity for one in sqlite_health.check(path)} == {Severity.OK}
    store.set_aside([DeadLetter("j1", 1, "too odd", 1)])
    [letters] = [one for one in sqlite_health.check(path) if one.code == "store.dead_letters"]
    assert "too odd" in letters.what
    store.close()

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 8192))
    assert "store.damaged" in {one.code for one in sqlite_health.check(path)}


@pytest.mark.parametrize("broker", ["valkey_server", "rabbitmq_server"])
def test_bells_that_nobody_takes_are_found_and_can_be_dropped(
    request: pytest.FixtureRequest, broker: str, unique_name: str
) -> None:
    """More than a hundred in one queue; a queue that nobody ever rang has none."""
    url = request.getfixturevalue(broker).url
    bell = CeleryBell(Settings(home=Path("/nonexistent"), broker=Broker(url=url)))
    bell.ring(unique_name, MANY + 1)

    [fine, many] = bell_health.check(bell, [unique_name, f"{unique_name}-none"], "here")
    assert (fine.severity, many.severity) == (Severity.OK, Severity.WARNING)
    assert many.where == f"queue {unique_name}"
    assert bell.drop(unique_name) == MANY + 1
    assert bell.drop(f"{unique_name}-none") == 0
    assert len(list(bell_health.check(bell, [unique_name], "here"))) == 1
    bell.close()


def test_what_holds_jobs_here_is_tried_out() -> None:
    """Memory limits, namespaces, bubblewrap: each is one finding, and none is worse than a note."""
    found = list(engine_health.check())

    assert [one.code for one in found] == ["sandbox.memory", "sandbox.namespaces", "sandbox.bwrap"]
    assert all(one.severity <= Severity.NOTE for one in found)
