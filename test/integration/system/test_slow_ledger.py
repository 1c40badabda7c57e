"""A ledger that answers late, and one whose connections hang: nobody's lease is lost over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from hysds.core.errors import Unreachable
from services.faults import FaultyProxy
from services.redis import RedisServer
from worlds.gated import Gated
from worlds.system import RunningSystem

LEASE_S = 8


@pytest.fixture
def proxy(valkey_server: RedisServer) -> Iterator[FaultyProxy]:
    """What the worker and the client under test take for the ledger."""
    made = FaultyProxy(valkey_server.socket)
    yield made
    made.close()


def test_a_slow_and_a_silent_ledger_cost_no_job_its_lease(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, proxy: FaultyProxy, unique_name: str
) -> None:
    """Answers later than the renewals follow each other, for more than a lease; then connections that hang without a
    word. Commands end by themselves, the worker goes on when there is a way again, and each job has one attempt.
    """
    running = systems(
        f"{valkey_server.url[:-1]}1",
        HYSDS_LEDGER_LEASE=f"{LEASE_S}s",
        HYSDS_LEDGER_RENEW_INTERVAL="0.5s",
        HYSDS_WORKER_ISOLATION_LIMIT="1h",
    )
    running.start("reconciler", "-m", "hysds", "reconciler")
    through = {"HYSDS_LEDGER_URL": f"redis://127.0.0.1:{proxy.port}/0"}
    running.worker("w", unique_name, **through)
    jobs = Gated(running, unique_name)
    ids = {name: jobs.submit(name) for name in ("slow", "silent")}
    for name in ids:
        jobs.until_begun(name)
    lease = f"{{{unique_name}}}:lease"

    with Redis.from_url(valkey_server.url) as client:
        first_end = client.zscore(lease, ids["slow"])
        proxy.delay(0.7)
        running.until(
            lambda: client.zscore(lease, ids["slow"]) > first_end + LEASE_S * 1000, lambda: running.log("w")
        )
    jobs.open("slow")
    assert running.client.wait(ids["slow"], 60)["status"] == "job-completed"

    proxy.delay(0)
    distant = systems(
        running.variables["HYSDS_BROKER_URL"], through["HYSDS_LEDGER_URL"], HYSDS_LEDGER_TIMEOUT="0.3s"
    )
    assert distant.client.job(ids["silent"])["status"] == "job-started"
    proxy.swallow()
    with pytest.raises(Unreachable):
        distant.client.cancel([ids["silent"]])
    running.until(lambda: "leases are not renewed" in running.log("w"), lambda: running.log("w"))
    jobs.open("silent")
    proxy.heal()

    assert distant.client.job(ids["silent"])["id"] == ids["silent"]
    ended = [running.client.wait(job_id, 60) for job_id in ids.values()]
    assert [(job["status"], len(job["attempts"])) for job in ended] == [("job-completed", 1)] * 2
