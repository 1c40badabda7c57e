"""What only a real server can do to the ledger: wrong types, full memory, forgotten scripts, restarts, TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from contract.ledger.sample import bid, end, held, job, keyed, renewal, started, status, take, won
from contract.ledger.side_by_side import audited
from hysds.adapters.ledger.footprint import bytes_per_job
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Full, Internal, InvalidSettings, Unreachable
from hysds.core.floor_requests import Drain
from hysds.core.requests import Accepting, Committing, Purge
from hysds.core.status import Status
from hysds.lib.transport_retry import Persistence
from hysds.settings.servers import Tls
from services.authority import Certificates
from services.redis import Appendfsync, RedisOptions, RedisServer

_NOW_US = 1_800_000_000_000_000
_ONCE = Persistence(attempts=1)
_Dump = dict[str, bytes]


@pytest.fixture
def server(valkey_server: RedisServer) -> Iterator[Server]:
    made = Server(valkey_server.unix_url)
    yield made
    made.close()


@pytest.fixture
def ledger(server: Server) -> RedisLedger:
    return RedisLedger(server, "t", 60_000, lambda: _NOW_US)


@pytest.fixture
def client(valkey_server: RedisServer) -> Iterator[redis.Redis]:
    made = redis.Redis.from_url(valkey_server.unix_url, protocol=2)
    yield made
    made.close()


def _dump(client: Any) -> _Dump:
    return {key: client.dump(key) for key in client.keys("*")}


def _prepare(ledger: RedisLedger) -> dict[str, Callable[[], object]]:
    """A ledger with a job in each place, and one call of each transition that will find work."""
    ledger.renew(renewal())
    running = started(ledger, job(lost_left=1))
    silent = started(ledger, job(), worker="w2", lease_ms=3_000)
    done = started(ledger, keyed(window_ms=5_000), worker="w3")
    ledger.commit(end(done))
    kept = ledger.kept([done.record.id])[0]
    assert kept is not None
    ledger.accept(
        [queued := job(dedup="d", ttl_for_ms=90_000), waiting := job(wake_ms=_NOW_US // 1000 + 1), job()]
    )
    ledger.cancel([silent.record.id])
    ledger.pause("other")
    ledger.renew(renewal(worker="w9"))
    ledger.drain(Drain("w9"))
    ledger.confirm([(done.record.id, kept.record.revision)])
    later = RedisLedger(ledger._server, "t", 60_000, lambda: _NOW_US + 2_000_000)
    return {
        "accept": lambda: later.accept([job(dedup="d", wake_ms=0), job(shape="2s", queue="new")]),
        "reject": lambda: later.reject(job(), "{}"),
        "claim": lambda: later.claim(bid()),
        "renew": lambda: later.renew(renewal(held(running, phase="execute"))),
        "commit": lambda: later.commit(end(running, Status.QUEUED, reason="data"), bid()),
        "release": lambda: later.release(running.record.id, running.record.fence),
        "cancel": lambda: later.cancel([queued.id, waiting.id, running.record.id]),
        "wake": lambda: later.wake(10),
        "suspect": lambda: later.suspect(10),
        "expire": lambda: RedisLedger(later._server, "t", 0, lambda: _NOW_US + 99_000_000).expire(10),
        "amend": lambda: later.amend([queued.id, waiting.id], "fresh", 3),
        "pause": lambda: later.pause("gpu"),
        "resume": lambda: later.resume("other"),
        "confirm": lambda: later.confirm([(done.record.id, kept.record.revision)]),
        "forget": lambda: later.forget([done.record.id]),
        "purge": lambda: later.purge([Purge(done.record.id), Purge(queued.id)]),
        "touch": lambda: later.touch(queued.id, _NOW_US),
        "leave": lambda: later.leave("w1"),
        "drain": lambda: later.drain(Drain("w1", "a new disk")),
        "undrain": lambda: later.undrain("w9"),
        "retry": lambda: later.accept([job(retry_of=done.record.id)]),
    }


_STEPS = [
    *("accept", "reject", "claim", "renew", "commit", "release", "cancel", "wake", "suspect", "expire"),
    *(
        "amend",
        "pause",
        "resume",
        "confirm",
        "forget",
        "purge",
        "touch",
        "leave",
        "drain",
        "undrain",
        "retry",
    ),
]


@pytest.mark.parametrize("step", _STEPS)
def test_a_key_of_a_wrong_type_leaves_nothing_written(
    ledger: RedisLedger, client: redis.Redis, step: str
) -> None:
    """An unguarded claim left a job queued and in no ready set: every type is checked before the first write."""
    call = _prepare(ledger)[step]
    sound, refused = _dump(client), 0
    for key in sound:
        client.flushall()
        for name, value in sound.items():
            client.restore(name, 0, value)
        kind = client.type(key)
        client.delete(key)
        client.rpush(key, "x") if kind != b"list" else client.set(key, "x")
        before = _dump(client)
        try:
            call()
        except Internal:
            refused += 1
            assert _dump(client) == before, key

    assert refused >= 2


@pytest.mark.parametrize("step", _STEPS)
def test_each_step_survives_forgotten_scripts(ledger: RedisLedger, client: redis.Redis, step: str) -> None:
    """A server that was restarted, flushed or promoted knows no script; the step loads it and goes on."""
    call = _prepare(ledger)[step]
    client.script_flush()

    call()


def test_each_method_is_one_send(ledger: RedisLedger, server: Server) -> None:
    """A round trip is what a step costs over a network: the server reads from us once a call."""
    calls = _prepare(ledger)
    calls |= {
        "kept": lambda: ledger.kept([job().id] * 9),
        "queues": ledger.queues,
        "drains": ledger.drains,
        "workers": ledger.workers,
        "place": lambda: ledger.place(job().id),
        "retirable": lambda: ledger.retirable(5),
        "audit": lambda: ledger.audit("", 10),
        "listen": lambda: ledger.listen("w1", 0),
        "wait": lambda: ledger.listen("w2", 0.001),
    }
    for call in calls.values():
        call()  # the server learns the script
    reads = {}

    for name, call in calls.items():
        before = _reads(server)
        call()
        reads[name] = _reads(server) - before - 1

    assert reads == dict.fromkeys(calls, 1)


def _reads(server: Server) -> int:
    """How often the server has read from its clients, this question included."""
    lines = str(server.send("INFO", "stats")).splitlines()
    return int(next(line for line in lines if line.startswith("total_reads_processed:")).partition(":")[2])


def test_full_memory_refuses_new_jobs_and_nothing_else(
    start_valkey: Callable[[RedisOptions], RedisServer],
) -> None:
    """Accepted jobs run to their end however full the server is, scripts it does not know yet included."""
    running = start_valkey(RedisOptions(maxmemory_bytes=64 << 20))
    server = Server(running.unix_url)
    ledger, events = RedisLedger(server, "t", 60_000), RedisEvents(server, "t")
    with redis.Redis.from_url(running.unix_url) as client:
        mine = [job(queue="mine", wake_ms=1) for _ in range(3)]
        ledger.accept(mine)
        client.config_set("maxmemory", 1)
        client.script_flush()

        with pytest.raises(Full, match="maxmemory"):
            ledger.accept([job()])
        with pytest.raises(Full):
            ledger.reject(job(), "{}")
        ledger.renew(renewal())
        lease = won(ledger.claim(bid(queues=("mine",))))
        ledger.renew(renewal(held(lease, phase="execute")))
        assert ledger.cancel([mine[1].id]).answers[0][1] == "job-revoked"
        assert ledger.commit(end(lease), bid(queues=("mine",))).how is Committing.DONE
        assert len(events.read("index", "a", 100, 0)) == 8
        assert ledger.leave("w1").answers == ((mine[2].id, "job-queued"),)
        client.config_set("maxmemory", 0)
        assert ledger.accept([job()]).answers[0].how is Accepting.ACCEPTED
    server.close()


def test_the_ledger_goes_on_after_the_server_was_killed(
    start_valkey: Callable[[RedisOptions], RedisServer],
) -> None:
    """While it is away each call is Unreachable; back, the same lease is committed, and a wait goes on."""
    running = start_valkey(RedisOptions(appendfsync=Appendfsync.ALWAYS, password="s3cret-word"))
    server = Server(running.url, persistence=_ONCE)
    ledger = RedisLedger(server, "t", 60_000)
    ledger.accept([item := job()])
    lease = take(ledger)
    running.kill()

    for call in (lambda: ledger.commit(end(lease)), lambda: ledger.listen("w1", 5), ledger.check):
        with pytest.raises(Unreachable) as caught:
            call()
        assert "s3cret-word" not in str(caught.value)
    running.start()

    assert ledger.expire(10).answers == ()
    assert ledger.commit(end(lease)).how is Committing.DONE
    assert status(ledger, item.id) is Status.COMPLETED
    server.close()


def test_a_wrong_password_is_told_without_it(start_valkey: Callable[[RedisOptions], RedisServer]) -> None:
    """And is not tried again and again."""
    running = start_valkey(RedisOptions(password="right-word"))
    server = Server(f"redis://:wrong-word@127.0.0.1:{running.port}/0")

    with pytest.raises(Unreachable, match="refuses our user or password") as caught:
        RedisLedger(server, "t", 60_000).check()

    assert "wrong-word" not in str(caught.value)
    server.close()


def test_a_server_that_evicts_keys_is_refused(ledger: RedisLedger, client: redis.Redis) -> None:
    """It would delete jobs."""
    ledger.check()
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(InvalidSettings, match="noeviction"):
            ledger.check()
    finally:
        client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("shown", "accepted"), [("right", True), ("wrong_name", False), ("expired", False), ("other", False)]
)
def test_the_servers_certificate_is_verified(
    start_redis: Callable[[RedisOptions], RedisServer], certificates: Certificates, shown: str, accepted: bool
) -> None:
    """Only the one of our authority, with the right name, in its time."""
    running = start_redis(RedisOptions(certificate=getattr(certificates, shown)))
    server = Server(running.url, Tls(ca_file=certificates.authority), persistence=_ONCE)

    if accepted:
        RedisLedger(server, "t", 60_000).check()
    else:
        with pytest.raises(Unreachable, match="certificate"):
            RedisLedger(server, "t", 60_000).check()
    server.close()


def test_tls_files_without_tls_are_refused(certificates: Certificates) -> None:
    """Nothing that was asked for is ignored."""
    with pytest.raises(InvalidSettings, match="rediss"):
        Server("redis://127.0.0.1:6379/0", Tls(ca_file=certificates.authority))


def test_a_stray_head_is_mended_and_never_handed_out(ledger: RedisLedger, client: redis.Redis) -> None:
    """An entry without a record, and one whose record stands elsewhere."""
    lease = started(ledger)
    ledger.accept([item := job()])
    client.zadd("{t}:ready:gpu:1s", {"no such job": 1, lease.record.id: 2})

    assert take(ledger).record.id == item.id
    assert client.exists("{t}:ready:gpu:1s", "{t}:shapes:gpu", "{t}:queues") == 0
    assert audited(ledger) == []


def test_an_audit_mends_and_reports_every_stray(ledger: RedisLedger, client: redis.Redis) -> None:
    """Members without a record, records without their member, an index that lost a list, a lease nobody holds."""
    lease = started(ledger)
    ledger.accept([lost := job(), waiting := job(wake_ms=_NOW_US // 1000 + 9_000), job(queue="solo")])
    client.zrem("{t}:ready:gpu:1s", lost.id)
    client.zrem("{t}:due", waiting.id)
    client.zadd("{t}:lease", {"ghost 1": 5})
    client.zadd("{t}:due", {"ghost 2": 5})
    client.zadd("{t}:ready:gpu:1s", {"ghost 3": 5})
    client.srem("{t}:queues", "solo")
    client.delete("{t}:held:w1")
    client.hset("{t}:held:w9", "ghost 4", "1s")

    found = dict(audited(ledger))

    ghosts = {"ghost 1", "ghost 2", "ghost 3", "ghost 4"}
    assert set(found) == {lost.id, waiting.id, lease.record.id, "ready:solo:1s", *ghosts}
    assert found["ghost 3"] == "stood at ready gpu 1s 5, belongs at nowhere"
    assert audited(ledger) == []
    assert take(ledger).record.id == lost.id
    assert take(ledger, worker="w2", queues=("solo",)).record.queue == "solo"
    assert len(ledger.leave("w1").answers) == 2


def test_no_value_of_a_record_is_above_64_bytes(ledger: RedisLedger, client: redis.Redis) -> None:
    """One longer value would double the memory of the whole record: it stands in a key of its own."""
    ledger.accept([item := job(queue="q" * 200, digest="d" * 65, dedup="e" * 64)])

    assert client.object("encoding", f"{{t}}:job:{item.id}") == b"listpack"
    assert client.hkeys(f"{{t}}:long:{item.id}") in ([b"queue", b"digest"], [b"digest", b"queue"])


def test_a_queued_job_takes_at_most_one_and_a_half_kilobytes(server: Server, client: redis.Redis) -> None:
    """Beside its spec's text, its event and its key included."""
    client.flushall()

    assert 200 < bytes_per_job(server, "m", 5_000) <= 1_500
