"""A worker that a network cuts off from its ledger: what `worker.isolation_limit` says, happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.namespaces import CableNetwork
from services.redis import RedisOptions, RedisServer
from worlds.gated import Gated
from worlds.system import RunningSystem


@pytest.fixture
def network() -> Iterator[CableNetwork]:
    """A network namespace for the worker that is cut off."""
    with CableNetwork() as made:
        yield made


@pytest.fixture
def ledger(network: CableNetwork, start_valkey: Callable[[RedisOptions], RedisServer]) -> RedisServer:
    """A ledger that listens at this end of the cable too; nobody but the namespace reaches it there."""
    reached = ("--bind", "127.0.0.1", network.here, "--protected-mode", "no")
    return start_valkey(RedisOptions(arguments=reached))


def test_a_job_outlives_a_cut_that_is_shorter_than_the_isolation_limit(
    systems: Callable[..., RunningSystem], ledger: RedisServer, network: CableNetwork, unique_name: str
) -> None:
    """The cable is pulled, and packets vanish; the job runs on meanwhile, ends unheard, and is committed afterwards,
    as nobody took its lease.
    """
    running = systems(
        f"{ledger.url[:-1]}1",
        ledger.url,
        HYSDS_LEDGER_LEASE="1h",
        HYSDS_LEDGER_RENEW_INTERVAL="0.5s",
        HYSDS_LEDGER_TIMEOUT="1s",
        HYSDS_WORKER_ISOLATION_LIMIT="1h",
    )
    jobs = Gated(running, unique_name)
    _cut_off(running, network, "w", unique_name)
    ids = {name: jobs.submit(name) for name in ("pulled", "dropped")}
    for name in ids:
        jobs.until_begun(name)

    for name, cut, mend in (
        ("pulled", network.pull_cable, network.plug_in),
        ("dropped", network.drop_packets, network.pass_packets),
    ):
        noted = running.log("w").count("leases are not renewed")
        cut()
        running.until(
            lambda noted=noted: running.log("w").count("leases are not renewed") > noted,
            lambda: running.log("w"),
        )
        jobs.open(name)
        [pid] = jobs.begun(name).values()
        running.until(lambda pid=pid: not Path(f"/proc/{pid}").exists(), lambda: running.log("w"))
        assert running.client.job(ids[name])["status"] == "job-started"
        mend()
        found = running.client.wait(ids[name], 60)
        assert (found["status"], len(found["attempts"])) == ("job-completed", 1)


def test_beyond_the_isolation_limit_a_job_is_ended_before_another_worker_gets_it(
    systems: Callable[..., RunningSystem], ledger: RedisServer, network: CableNetwork, unique_name: str
) -> None:
    """With a limit of one lease two attempts never run at once, although the worker that is cut off can't be told; back
    on the network it works again.
    """
    running = systems(
        f"{ledger.url[:-1]}1",
        ledger.url,
        HYSDS_LEDGER_LEASE="9s",
        HYSDS_LEDGER_RENEW_INTERVAL="0.5s",
        HYSDS_WORKER_ISOLATION_LIMIT="9s",
    )
    running.start("reconciler", "-m", "hysds", "reconciler")
    jobs = Gated(running, unique_name)
    _cut_off(running, network, "lonely", unique_name)
    job_id = jobs.submit("job")
    jobs.until_begun("job")
    [pid] = jobs.begun("job").values()
    running.worker("second", unique_name)

    network.drop_packets()
    jobs.until_begun("job", times=2)

    assert not Path(f"/proc/{pid}").exists()
    network.pass_packets()
    other = jobs.submit("other", job_queue=f"{unique_name}-lonely")
    jobs.until_begun("other")
    for name in ("job", "other"):
        jobs.open(name)
    found = [running.client.wait(one, 60) for one in (job_id, other)]
    assert [[attempt["how"] for attempt in job["attempts"]] for job in found] == [
        ["worker-lost", "job-completed"],
        ["job-completed"],
    ]
    assert [attempt["worker"].partition("@")[0] for attempt in found[0]["attempts"]] == ["lonely", "second"]


def _cut_off(running: RunningSystem, network: CableNetwork, name: str, queue: str) -> None:
    """Start a worker inside the namespace; it hears a queue of its own too."""
    servers = {
        variable: running.variables[variable].replace("127.0.0.1", network.here)
        for variable in ("HYSDS_LEDGER_URL", "HYSDS_BROKER_URL")
    }
    running.worker(name, f"{queue},{queue}-{name}", run_in=network.run_in, **servers)
