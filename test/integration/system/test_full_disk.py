"""The store's disk and the log's disk are full while jobs run: nothing is lost, and there is no busy loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.disks import fill, small_disk
from services.redis import RedisServer
from worlds.gated import Gated, Stored
from worlds.system import RunningSystem


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    with small_disk(tmp_path / "disk", "2m") as made:
        yield made


def test_the_indexer_waits_for_room_in_the_store_and_loses_nothing(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, disk: Path, unique_name: str
) -> None:
    """It says once what is full and what to do, tries again at a calm pace, and goes on by itself."""
    running = systems(f"{valkey_server.url[:-1]}1", HYSDS_STORE_URL=f"sqlite://{disk}/jobs.db")
    running.start("indexer", "-m", "hysds", "indexer")
    stored = Stored(running)
    before = running.submit("nobody", "true", enable_dedup=False)
    running.until(lambda: stored.status(before) == "job-queued", lambda: running.log("indexer"))

    ballast = fill(disk)
    ids = [running.submit("nobody", f"echo {'x' * 4000}", enable_dedup=False) for _ in range(100)]
    running.until(lambda: "indexing waits" in running.log("indexer"), lambda: running.log("indexer"))
    assert "the disk is full; free some space" in running.log("indexer")
    ballast.unlink()

    running.until(
        lambda: {stored.status(job_id) for job_id in ids} == {"job-queued"}, lambda: running.log("indexer")
    )
    assert stored.is_at(running.client.jobs_by_id(ids))
    assert running.log("indexer").count("indexing waits") == 1
    running.until(
        lambda: running.log("indexer").count("indexing goes on") == 1, lambda: running.log("indexer")
    )


def test_a_worker_whose_log_finds_no_room_works_on(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, disk: Path, unique_name: str
) -> None:
    """Its lines are lost, no job is; it writes again when there is room, and drains as it should."""
    running = systems(f"{valkey_server.url[:-1]}1")
    log = disk / "worker.log"
    to_disk = ("sh", "-c", f'exec "$@" >>{log} 2>&1', "sh")
    worker = running.worker("w", unique_name, run_in=to_disk)
    jobs = Gated(running, unique_name)
    ids = {"before": jobs.submit("before")}
    jobs.until_begun("before")

    ballast = fill(disk)
    jobs.open("before")
    ids["during"] = jobs.submit("during")
    jobs.until_begun("during")
    written = log.stat().st_size
    ballast.unlink()
    jobs.open("during")

    ended = [running.client.wait(job_id, 60) for job_id in ids.values()]
    assert [(job["status"], len(job["attempts"])) for job in ended] == [("job-completed", 1)] * 2
    worker.terminate()
    assert worker.wait(60) == 0
    assert log.stat().st_size > written
