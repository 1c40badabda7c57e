"""A record that something else wrote over concerns its own job alone: no other loses its lease, waits or stays lost.

The ledger in memory can't be written over, so these run over the servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from contract.ledger.conftest import RETENTION_MS, Clock
from contract.ledger.sample import LEASE_MS, bid, end, held, job, keyed, renewal, started, status, take
from contract.ledger.side_by_side import audited
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Internal
from hysds.core.record import GROUP
from hysds.core.requests import Accepting, Standing
from hysds.core.status import Status
from hysds.ports.ledger import Ledger
from services.redis import RedisServer


@pytest.fixture(params=["valkey", "redis"])
def running(request: pytest.FixtureRequest) -> RedisServer:
    server: RedisServer = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture
def ledger(running: RedisServer, clock: Clock) -> Iterator[Ledger]:
    server = Server(running.unix_url)
    yield RedisLedger(server, "t", RETENTION_MS, clock)
    server.close()


@pytest.fixture
def client(running: RedisServer) -> Iterator[Any]:
    made = redis.Redis.from_url(running.unix_url, decode_responses=True, protocol=2)
    yield made
    made.close()


def _no_number(client: Any, id: str) -> None:
    client.hset(f"{{t}}:job:{id}", "revision", "x")


def _no_status(client: Any, id: str) -> None:
    client.hdel(f"{{t}}:job:{id}", "status")


def _no_known_status(client: Any, id: str) -> None:
    client.hset(f"{{t}}:job:{id}", "status", "job-sleeping")


def _no_shape(client: Any, id: str) -> None:
    client.hset(f"{{t}}:job:{id}", "shape", "large")


def _no_hash(client: Any, id: str) -> None:
    client.set(f"{{t}}:job:{id}", "oops")


Damage = Callable[[Any, str], None]
DAMAGES: tuple[Damage, ...] = (_no_number, _no_status, _no_known_status, _no_shape, _no_hash)
damages = pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__[1:])


def _stands(client: Any, id: str) -> list[str]:
    """The keys that still place the job somewhere."""
    sets = [
        key for key in client.keys("*") if client.type(key) == "zset" and client.zscore(key, id) is not None
    ]
    maps = [key for key in client.keys("*:held:*") if client.hexists(key, id)]
    return sorted(sets + maps)


def _lose(ledger: Ledger, clock: Clock) -> None:
    for _ in range(LEASE_MS // 2_000 + 1):
        clock.advance(2_000)
        ledger.wake(0)


@damages
def test_a_renewal_answers_lost_for_it_and_renews_the_others(
    ledger: Ledger, client: Any, damage: Damage
) -> None:
    """The worker ends that one job; those beside it go on."""
    ill, well = started(ledger), started(ledger)
    damage(client, ill.record.id)

    renewed = ledger.renew(renewal(held(ill), held(well)))

    assert renewed.standings == (Standing.LOST, Standing.OK)
    assert ledger.commit(end(well)).status == "job-completed"
    assert [state.incarnation for state in ledger.workers()] == ["w1"]


@damages
def test_lost_leases_of_others_come_back(ledger: Ledger, client: Any, clock: Clock, damage: Damage) -> None:
    """It is told as damaged once, and stands nowhere in the way again."""
    ill, well = started(ledger), started(ledger, worker="w2")
    damage(client, ill.record.id)
    _lose(ledger, clock)

    first, again = ledger.expire(10), ledger.expire(10)

    assert dict(first.answers) == {ill.record.id: "damaged", well.record.id: "job-queued"}
    assert again.answers == ()
    assert client.exists(f"{{t}}:damaged:{ill.record.id}", f"{{t}}:spec:{ill.record.id}") == 2


@damages
@pytest.mark.parametrize("step", ["wake", "expire", "suspect", "leave"])
def test_no_step_that_comes_with_time_stops_at_it(
    ledger: Ledger, client: Any, clock: Clock, damage: Damage, step: str
) -> None:
    """Whatever was to happen to the job beside it happens."""
    soon_ms = clock.now_us // 1_000 + 1_000
    ill = started(ledger)
    ledger.accept([waits := job(wake_ms=soon_ms), also := job(wake_ms=soon_ms)])
    runs = started(ledger)
    for id in (ill.record.id, waits.id):
        damage(client, id)
    _lose(ledger, clock) if step == "expire" else clock.advance(1_500)
    for _ in range(3 if step == "suspect" else 0):
        clock.advance(2_000)
        ledger.wake(0)

    moved = {
        "wake": lambda: ledger.wake(10),
        "expire": lambda: ledger.expire(10),
        "suspect": lambda: ledger.suspect(10),
        "leave": lambda: ledger.leave("w1"),
    }[step]()

    assert dict(moved.answers).get(also.id if step == "wake" else runs.record.id)
    assert "damaged" in dict(moved.answers).values()


@damages
def test_a_claim_passes_it_by(ledger: Ledger, client: Any, damage: Damage) -> None:
    """It is the best of the list, and no worker would get anything any more."""
    ledger.accept([ill := job(), well := job()])
    damage(client, ill.id)

    assert take(ledger).record.id == well.id
    assert ledger.claim(bid()).lease is None


@damages
def test_an_audit_sets_it_aside_once(ledger: Ledger, client: Any, damage: Damage) -> None:
    """Out of every place, under another name for whoever looks after it; its spec stays."""
    ledger.accept([ready := job(ttl_for_ms=60_000), waits := job(wake_ms=1 << 42)])
    runs = started(ledger, queues=("gpu",)).record.id
    ill = [ready.id, waits.id, runs]
    for id in ill:
        damage(client, id)

    told = [(id, finding) for id, finding in audited(ledger) if "set aside" in finding]

    assert sorted(id for id, _ in told) == sorted({ready.id, waits.id, runs})
    assert audited(ledger) == []
    assert [_stands(client, id) for id in ill] == [[], [], []]
    assert [client.exists(f"{{t}}:damaged:{id}", f"{{t}}:spec:{id}") for id in ill] == [2, 2, 2]
    assert ledger.kept(ill) == (None, None, None)


def test_what_is_kept_of_it_is_told_as_an_error_until_then(ledger: Ledger, client: Any) -> None:
    """Which names the job and the field."""
    ledger.accept([item := job()])
    _no_number(client, item.id)

    with pytest.raises(Internal, match=f"{item.id}.*revision.*'x'"):
        ledger.kept([item.id])
    audited(ledger)
    assert ledger.kept([item.id]) == (None,)


@damages
def test_a_cancel_of_many_skips_it(ledger: Ledger, client: Any, damage: Damage) -> None:
    """And says so."""
    ledger.accept([ill := job(), well := job()])
    damage(client, ill.id)

    assert ledger.cancel([ill.id, well.id]).answers == ((ill.id, "damaged"), (well.id, "job-revoked"))


@damages
def test_its_key_stands_in_nobodys_way(ledger: Ledger, client: Any, damage: Damage) -> None:
    """What it was to do may be submitted again, once it is set aside."""
    ledger.accept([ill := keyed()])
    damage(client, ill.id)
    audited(ledger)

    again = keyed()
    assert ledger.accept([again]).answers[0].how is Accepting.ACCEPTED
    assert take(ledger).record.id == again.id
    assert status(ledger, ill.id) is None


@damages
def test_what_has_ended_beside_it_is_forgotten(
    ledger: Ledger, client: Any, clock: Clock, damage: Damage
) -> None:
    """A confirmed record that was written over keeps no other from going."""
    ids = []
    for _ in range(2):
        lease = started(ledger)
        ledger.commit(end(lease))
        kept = ledger.kept([lease.record.id])[0]
        assert kept is not None
        ledger.confirm([(lease.record.id, kept.record.revision)])
        ids.append(lease.record.id)
    damage(client, ids[0])
    clock.advance(RETENTION_MS)

    assert ledger.forget(ledger.retirable(10)) == (ids[1],)
    assert ledger.retirable(10) == ()


@damages
def test_a_group_ends_without_a_member_that_is_damaged(
    ledger: Ledger, client: Any, clock: Clock, damage: Damage
) -> None:
    """It counts as failed, whether it waited or ran; who came after it is revoked, and the others of the group end."""
    parent = job(kind=GROUP, members=3)
    members = [job(parent=parent.id, priority=9 - n) for n in range(3)]
    late = job(after=(members[0].id,))
    ledger.accept([parent, *members, late])
    first = take(ledger)

    for item in members[:2]:
        damage(client, item.id)
    clock.advance(LEASE_MS + 5_000)
    ledger.wake(10)
    for _ in range(3):
        ledger.expire(10)
        audited(ledger)
    ledger.commit(end(take(ledger)))
    audited(ledger)

    assert first.record.id == members[0].id
    [kept] = ledger.kept([parent.id])
    assert kept is not None
    assert (kept.record.status, kept.record.kids) == (Status.FAILED, "3 0 0 1 2 0 0")
    assert status(ledger, late.id) is Status.REVOKED
