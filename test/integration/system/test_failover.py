"""A primary of the ledger that dies with what its replica had not yet, and Sentinels that promote the replica."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from hysds.core import ghosts
from hysds.sdk.client import Client
from services.faketime import FakeClock
from services.redis import valkey_program
from services.sentinel import WatchedService
from worlds.gated import Gated, Stored
from worlds.system import RunningSystem


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WatchedService]:
    """A watched service whose primary's clock is half an hour ahead: all that it stamps alone is of a future."""
    clock = FakeClock(tmp_path, "primary")
    clock.jump(hours=0.5)
    made = WatchedService(valkey_program(), **clock.variables)
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_a_failover_undoes_what_was_not_replicated_and_nothing_else(
    service: WatchedService, systems: Callable[..., RunningSystem], unique_name: str
) -> None:
    """Ledger and broker are one service. A running job runs on; one that had ended runs again, and the store follows,
    never back; one that only the lost primary knew is stopped, and is handed in again under its id; one that nobody
    hands in again ends, and says why.
    """
    running = systems(
        f"{service.url}?db=1",
        service.url,
        HYSDS_LEDGER_LEASE="8s",
        HYSDS_LEDGER_RENEW_INTERVAL="0.5s",
        HYSDS_WORKER_ISOLATION_LIMIT="1h",
        HYSDS_INDEXER_GHOST_INTERVAL="0.5s",
    )
    running.until(service.is_ready, lambda: "the Sentinels don't know each other")
    running.worker("w", unique_name, slots=4)
    for role in ("indexer", "reconciler"):
        running.start(role, "-m", "hysds", role)
    jobs = Gated(running, unique_name)
    ids = {name: jobs.submit(name) for name in ("lasting", "ended")}
    for name in ids:
        jobs.until_begun(name)

    service.cable.swallow()
    jobs.open("ended")
    assert running.client.wait(ids["ended"], 60)["status"] == "job-completed"
    ids["unknown"] = jobs.submit("unknown")
    ghost = jobs.submit("ghost")
    for name in ("unknown", "ghost"):
        jobs.until_begun(name)
    stored = Stored(running)
    running.until(lambda: stored.status(ids["ended"]) == "job-completed", lambda: running.log("indexer"))
    for job_id in (ids["unknown"], ghost):
        running.until(partial(_is_started, stored, job_id), lambda: running.log("indexer"))
    (running.home / "ended.open").unlink()

    service.primary.kill()

    for lost_pid in [*jobs.begun("unknown").values(), *jobs.begun("ghost").values()]:
        running.until(partial(_is_gone, lost_pid), lambda: running.log("w"))
    running.until(lambda: stored.status(ghost) == "job-failed", lambda: running.log("indexer"))
    _assert_ended_as_unknown(running.client, ghost)
    jobs.until_begun("ended", times=2)
    running.until(lambda: stored.status(ids["ended"]) == "job-started", lambda: running.log("indexer"))
    again = running.client.submit(jobs.spec("unknown"), ids["unknown"])
    assert (again.id, again.refused) == (ids["unknown"], None)
    for name in ids:
        jobs.open(name)
    ended = {name: running.client.wait(job_id, 60) for name, job_id in ids.items()}
    assert {found["status"] for found in ended.values()} == {"job-completed"}
    assert [attempt["how"] for attempt in ended["lasting"]["attempts"]] == ["job-completed"]
    assert len(jobs.begun("lasting")) == 1
    fences = [fence for name in ids for fence in jobs.begun(name)]
    assert len(set(fences)) == len(fences) == 5
    running.until(
        lambda: stored.is_at(running.client.jobs_by_id(list(ids.values()))), lambda: running.log("indexer")
    )
    stored.assert_never_back()
    assert len(jobs.begun("ghost")) == 1
    retried = running.client.retry(ghost)
    jobs.open("ghost")
    assert running.client.wait(retried.id, 60)["status"] == "job-completed"


def _is_started(stored: Stored, job_id: str) -> bool:
    return stored.status(job_id) == "job-started"


def _is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def _assert_ended_as_unknown(client: Client, job_id: str) -> None:
    """The ledger was asked and knows nothing of it: what a client is told is the store's."""
    told = client.wait(job_id, 60)
    assert (told["status"], told["failure_class"]) == ("job-failed", "internal")
    assert told["error"] == ghosts.ERROR
    [attempt] = told["attempts"]
    assert attempt["how"] == "internal"
