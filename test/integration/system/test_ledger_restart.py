"""A ledger that is restarted, reads its files for a while, is full, or can't write its files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from hysds.core.errors import Full, Unreachable
from services.disks import fill, small_disk
from services.redis import Appendfsync, RedisOptions, RedisServer
from worlds.gated import Gated
from worlds.system import RunningSystem

_PATIENT = {
    "HYSDS_LEDGER_LEASE": "8s",
    "HYSDS_LEDGER_RENEW_INTERVAL": "0.5s",
    "HYSDS_WORKER_ISOLATION_LIMIT": "1h",
}
"""Leases that end within a test, and jobs that run on for as long as the ledger takes no writes."""


def test_jobs_outlive_a_ledger_that_is_stopped_and_reads_its_files_for_long(
    systems: Callable[..., RunningSystem],
    valkey_server: RedisServer,
    start_valkey: Callable[[RedisOptions], RedisServer],
    unique_name: str,
) -> None:
    """While it reads, commands say so, and the worker waits; afterwards everything is as it was."""
    slow_to_read = ("--key-load-delay", "50000", "--loading-process-events-interval-bytes", "1024")
    ledger = start_valkey(RedisOptions(Appendfsync.ALWAYS, arguments=slow_to_read))
    running = systems(f"{valkey_server.url[:-1]}1", ledger.url)
    running.worker("w", unique_name)
    jobs = Gated(running, unique_name)
    ids = {name: jobs.submit(name) for name in ("lasting", "cancelled")}
    for name in ids:
        jobs.until_begun(name)
    ids["waiting"] = jobs.submit("waiting")
    for name in ids:
        jobs.submit(f"more {name}", job_queue="nobody")

    _rewrite(ledger, running)

    ledger.stop()
    jobs.open("lasting")
    starting = threading.Thread(target=ledger.start)
    starting.start()
    said: set[str] = set()
    running.until(lambda: _is_loading(running, ids["waiting"], said), lambda: str(said))
    starting.join()

    jobs.open("waiting")
    running.client.cancel([ids["cancelled"]])
    ended = {name: running.client.wait(job_id, 60) for name, job_id in ids.items()}
    assert {name: job["status"] for name, job in ended.items()} == {
        "lasting": "job-completed",
        "cancelled": "job-revoked",
        "waiting": "job-completed",
    }
    assert {len(job["attempts"]) for job in ended.values()} == {1}


def _rewrite(ledger: RedisServer, running: RunningSystem) -> None:
    """Have the server write its files anew: it answers while it reads a snapshot, and not while it repeats commands."""
    with Redis.from_url(ledger.url) as client:
        client.bgrewriteaof()
        running.until(
            lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0,
            lambda: "the files are not rewritten",
        )


def _is_loading(running: RunningSystem, job_id: str, said: set[str]) -> bool:
    try:
        running.system.ledger.kept([job_id])
    except Unreachable as error:
        said.add(str(error))
    return any("still reading its files" in text for text in said)


def test_a_full_ledger_refuses_new_jobs_and_finishes_the_others(
    systems: Callable[..., RunningSystem],
    valkey_server: RedisServer,
    start_valkey: Callable[[RedisOptions], RedisServer],
    unique_name: str,
) -> None:
    """Renewals, commits with their next claim, and cancels go on beyond maxmemory; submissions when there is room."""
    ledger = start_valkey(RedisOptions())
    running = systems(f"{valkey_server.url[:-1]}1", ledger.url, **_PATIENT)
    running.start("reconciler", "-m", "hysds", "reconciler")
    running.worker("w", unique_name, slots=1)
    jobs = Gated(running, unique_name)
    ids = {name: jobs.submit(name) for name in ("running", "next", "cancelled")}
    jobs.until_begun("running")
    key = f"{{{unique_name}}}:lease"

    with Redis.from_url(ledger.url) as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(Full, match="submit again"):
            jobs.submit("refused")
        first_end = client.zscore(key, ids["running"])
        running.until(lambda: client.zscore(key, ids["running"]) > first_end, lambda: running.log("w"))
        running.client.cancel([ids["cancelled"]])
        jobs.open("running")
        jobs.until_begun("next")
        with pytest.raises(Full):
            jobs.submit("refused")
        client.config_set("maxmemory", 0)

    jobs.open("next")
    ids["later"] = jobs.submit("later")
    jobs.open("later")
    ended = {name: running.client.wait(job_id, 60) for name, job_id in ids.items()}
    assert {name: job["status"] for name, job in ended.items()} == {
        "running": "job-completed",
        "next": "job-completed",
        "cancelled": "job-revoked",
        "later": "job-completed",
    }
    assert not jobs.begun("refused")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system for the ledger's append-only file."""
    with small_disk(tmp_path / "disk", "4m") as made:
        yield made


def test_a_ledger_whose_disk_is_full_says_so_and_goes_on_when_there_is_room(
    systems: Callable[..., RunningSystem],
    valkey_server: RedisServer,
    start_valkey: Callable[[RedisOptions], RedisServer],
    disk: Path,
    unique_name: str,
) -> None:
    """It takes no writes then: submissions end with its reason, running jobs run on and are committed afterwards, and
    what was accepted before is there after a restart.
    """
    ledger = start_valkey(RedisOptions(Appendfsync.EVERYSEC, data=disk))
    running = systems(f"{valkey_server.url[:-1]}1", ledger.url, **_PATIENT)
    running.start("reconciler", "-m", "hysds", "reconciler")
    running.worker("w", unique_name)
    jobs = Gated(running, unique_name)
    ids = {"running": jobs.submit("running")}
    jobs.until_begun("running")

    ballast = fill(disk)
    said: set[str] = set()
    running.until(lambda: _is_refused(jobs, said), lambda: str(said))
    jobs.open("running")
    running.until(lambda: "leases are not renewed" in running.log("w"), lambda: running.log("w"))
    ballast.unlink()

    assert running.client.wait(ids["running"], 60)["status"] == "job-completed"
    ids["later"] = jobs.submit("later")
    jobs.open("later")
    running.client.wait(ids["later"], 60)
    ledger.stop()
    ledger.start()
    ended = running.client.jobs_by_id(list(ids.values()))
    assert [(job["status"], len(job["attempts"])) for job in ended] == [("job-completed", 1)] * 2


def _is_refused(jobs: Gated, said: set[str]) -> bool:
    try:
        jobs.submit("refused", job_queue="nobody")
    except Unreachable as error:
        said.add(str(error))
    return any("MISCONF" in text for text in said)
