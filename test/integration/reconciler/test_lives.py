"""Worker life over a real ledger: reconcilers that look at once tell each change once, and their successors know it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hysds.adapters.ledger.journal_redis import RedisJournal
from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.server import Server
from hysds.core.floor_requests import Announcement, Fit
from hysds.core.requests import Renewal
from hysds.core.worker_life import Rhythm
from hysds.reconciler.lives import Lives
from services.redis import RedisServer

_REDIS_ROUNDS = 10


def test_reconcilers_that_look_at_once_tell_each_change_once(valkey_server: RedisServer) -> None:
    """Four of them, ten workers that come and leave; each coming and each leaving is told once."""
    server = Server(valkey_server.unix_url)
    ledger = RedisLedger(server, "t", 60_000)
    journal = RedisJournal(server, "t", 10**6)
    looks = [Lives(ledger, journal, Rhythm()) for _ in range(4)]
    facts = '{"lease_ms": 30000, "announce_ms": 60000}'
    for number in range(10):
        name = f"celery@w{number}"
        announcement = Announcement("host", name, ("q",), 1, Fit(), facts)
        ledger.renew(Renewal(f"{name}/1", announcement, (), (), 30_000, 60_000))

    with ThreadPoolExecutor(4) as pool:
        for _ in range(_REDIS_ROUNDS):
            list(pool.map(lambda look: look(), looks))
        for number in range(10):
            ledger.leave(f"celery@w{number}/1")
        looks.append(Lives(ledger, journal, Rhythm()))
        for _ in range(_REDIS_ROUNDS):
            list(pool.map(lambda look: look(), looks))

    told = [(note.happening.resource, note.happening.type) for note in journal.follow("", 1_000, 0)]
    for status in ("worker-online", "worker-offline"):
        assert told.count(("worker", status)) == told.count(("event", status)) == 10
    assert len(told) == 40
    server.close()
