"""A primary of the ledger that dies with what its replica had not yet, and Sentinels that promote the replica."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.faketime import FakeClock
from services.redis import valkey_program
from services.sentinel import WatchedService
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


class Gated:
    """Jobs that run until their gate opens; each attempt leaves a file with its fence and its process."""

    def __init__(self, running: RunningSystem, queue: str) -> None:
        self.running = running
        self._queue = queue

    def spec(self, name: str) -> dict[str, Any]:
        gate = self.running.home / name
        began = f"echo $$ > {gate}.part; mv {gate}.part {gate}.$HYSDS_JOB_FENCE.began"
        command = f"sh -c '{began}; while ! test -e {gate}.open; do sleep 0.05; done'"
        payload = {"_command": command}
        return {"job_type": "job:x", "job_queue": self._queue, "payload": payload, "enable_dedup": False}

    def submit(self, name: str) -> str:
        return self.running.client.submit(self.spec(name)).id

    def begun(self, name: str) -> dict[int, int]:
        """The processes of the job's attempts by their fences."""
        found = self.running.home.glob(f"{name}.*.began")
        return {int(path.name.split(".")[1]): int(path.read_text()) for path in found}

    def until_begun(self, name: str, times: int = 1) -> None:
        self.running.until(lambda: len(self.begun(name)) >= times, lambda: self.running.log("w"))

    def open(self, name: str) -> None:
        (self.running.home / f"{name}.open").touch()


def test_a_failover_undoes_what_was_not_replicated_and_nothing_else(
    service: WatchedService, systems: Callable[..., RunningSystem], unique_name: str
) -> None:
    """Ledger and broker are one service. A running job runs on; one that had ended runs again, and the store follows,
    never back; one that only the lost primary knew is stopped, and is handed in again under its id.
    """
    running = systems(
        f"{service.url}?db=1",
        service.url,
        HYSDS_LEDGER_LEASE="8s",
        HYSDS_LEDGER_RENEW_INTERVAL="0.5s",
        HYSDS_WORKER_ISOLATION_LIMIT="1h",
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
    jobs.until_begun("unknown")
    stored = Stored(running)
    running.until(lambda: stored.status(ids["ended"]) == "job-completed", lambda: running.log("indexer"))
    running.until(lambda: stored.status(ids["unknown"]) == "job-started", lambda: running.log("indexer"))
    (running.home / "ended.open").unlink()

    service.primary.kill()

    [lost_pid] = jobs.begun("unknown").values()
    running.until(lambda: not Path(f"/proc/{lost_pid}").exists(), lambda: running.log("w"))
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


class Stored:
    """What the store shows, as it is looked at; each look is remembered."""

    def __init__(self, running: RunningSystem) -> None:
        self._running = running
        self._revisions: dict[str, list[int]] = {}

    def status(self, job_id: str) -> str:
        return str(self._look(job_id).get("status"))

    def is_at(self, documents: Iterable[dict[str, Any]]) -> bool:
        """Whether the store shows these documents."""
        return all(self._look(document["id"]) == document for document in documents)

    def assert_never_back(self) -> None:
        for seen in self._revisions.values():
            assert seen == sorted(seen)

    def _look(self, job_id: str) -> dict[str, Any]:
        [found] = self._running.system.store.get([job_id])
        if found is not None:
            self._revisions.setdefault(job_id, []).append(found["revision"])
        return found or {}
