"""Wall clocks of single processes that jump by hours, both ways, while jobs run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from redis import Redis

from hysds.core.ledger_clock import CLOCK_CAP_MS
from services.faketime import FakeClock
from services.redis import RedisOptions, RedisServer
from worlds.gated import Gated, Stored
from worlds.system import RunningSystem

HOURS = (7, -7)
TERMS = {
    "HYSDS_LEDGER_LEASE": "8s",
    "HYSDS_LEDGER_RENEW_INTERVAL": "0.5s",
    "HYSDS_WORKER_ISOLATION_LIMIT": "8s",
}


def test_clocks_of_workers_and_roles_that_jump_change_nothing(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """Each process jumps hours ahead, then hours back. No lease ends, no limit strikes, a retry comes when it is due by
    the ledger's clock, and all times of documents are the ledger's.
    """
    running = systems(f"{valkey_server.url[:-1]}1", **TERMS)
    roles = ("worker", "indexer", "reconciler")
    clocks = {role: FakeClock(running.home, role) for role in roles}
    running.worker("w", unique_name, **clocks["worker"].variables)
    for role in ("indexer", "reconciler"):
        running.start(role, "-m", "hysds", role, **clocks[role].variables)
    jobs, stored = Gated(running, unique_name), Stored(running)
    began = datetime.now(UTC)
    lasting = jobs.submit("lasting", soft_time_limit=3_600)
    jobs.until_begun("lasting")

    for hours in HOURS:
        for clock in clocks.values():
            clock.jump(hours)
        _until_renewed(running, valkey_server, unique_name, lasting)
        retry = {"user": {"attempts": 2, "delay": "1s"}}
        retried = running.submit(unique_name, "sh -c 'exit 3'", retry=retry, enable_dedup=False)
        found = running.client.wait(retried, 60)
        assert [attempt["how"] for attempt in found["attempts"]] == ["user", "user"]
        running.until(
            lambda job_id=retried: stored.status(job_id) == "job-failed", lambda: running.log("indexer")
        )
        _assert_times(found, began, datetime.now(UTC))

    jobs.open("lasting")
    found = running.client.wait(lasting, 60)
    assert (found["status"], len(found["attempts"])) == ("job-completed", 1)
    _assert_times(found, began, datetime.now(UTC))


def test_a_ledger_whose_clock_jumps_ends_no_lease_and_wakes_what_is_due(
    systems: Callable[..., RunningSystem],
    valkey_server: RedisServer,
    start_valkey: Callable[[RedisOptions], RedisServer],
    tmp_path: Path,
    unique_name: str,
) -> None:
    """`not_before` and `ttl` follow its wall clock, leases don't; fences and revisions grow when it is set back."""
    clock = FakeClock(tmp_path, "ledger")
    ledger = start_valkey(RedisOptions(variables=clock.variables))
    running = systems(f"{valkey_server.url[:-1]}1", ledger.url, HYSDS_LEDGER_RECORD_RETENTION="2d", **TERMS)
    running.worker("w", unique_name, slots=3)
    for role in ("indexer", "reconciler"):
        running.start(role, "-m", "hysds", role)
    jobs, stored = Gated(running, unique_name), Stored(running)
    began = datetime.now(UTC)
    ids = {"lasting": jobs.submit("lasting")}
    retry = {"user": {"attempts": 2, "delay": "1s"}}
    ids["failing"] = jobs.submit(
        "failing", retry=retry, payload={"_command": jobs.command("failing", "exit 3")}
    )
    ids["later"] = jobs.submit("later", not_before=_iso(began + timedelta(hours=3)))
    ids["stale"] = jobs.submit("stale", ttl=3 * 3600, job_queue="nobody")
    for name in ("lasting", "failing"):
        jobs.until_begun(name)
    assert running.client.job(ids["later"])["status"] == "job-waiting"

    clock.jump(7)

    jobs.until_begun("later")
    assert running.client.wait(ids["stale"], 60)["failure_class"] == "timeout"
    _until_renewed(running, ledger, unique_name, ids["lasting"])

    clock.jump(-7)

    jobs.open("failing")
    jobs.until_begun("failing", times=2)
    _until_renewed(running, ledger, unique_name, ids["lasting"])
    ids["after"] = jobs.submit("after")
    for name in ("lasting", "later", "after"):
        jobs.open(name)
    ended = {name: running.client.wait(job_id, 60) for name, job_id in ids.items()}
    assert {name: (job["status"], len(job["attempts"])) for name, job in ended.items()} == {
        "lasting": ("job-completed", 1),
        "failing": ("job-failed", 2),
        "later": ("job-completed", 1),
        "stale": ("job-failed", 0),
        "after": ("job-completed", 1),
    }
    fences = [attempt["fence"] for attempt in ended["failing"]["attempts"]]
    assert fences == sorted(set(fences))
    running.until(
        lambda: stored.is_at(running.client.jobs_by_id(list(ids.values()))), lambda: running.log("indexer")
    )
    stored.assert_never_back()


def test_a_client_whose_clock_is_hours_off_submits_or_is_told(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str, tmp_path: Path
) -> None:
    """Ahead, its jobs are taken; further behind than the ledger remembers, it is told which clock to set."""
    running = systems(f"{valkey_server.url[:-1]}1")
    clock = FakeClock(tmp_path, "client")
    spec = tmp_path / "job.json"
    spec.write_text('{"job_type": "job:x", "job_queue": "nobody", "payload": {"_command": "true"}}')

    def submit() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hysds", "submit", str(spec)]
        variables = os.environ | running.variables | clock.variables
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    clock.jump(7)
    ahead = submit()
    clock.jump(-7)
    behind = submit()

    assert ahead.returncode == 0, ahead.stderr
    assert behind.returncode != 0
    assert "this host's clock is far behind the ledger's; set it" in behind.stderr
    assert [queue.ready for queue in running.system.ledger.queues()] == [1]


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _until_renewed(running: RunningSystem, server: RedisServer, prefix: str, job_id: str) -> None:
    """Until a job's lease was renewed again and again: its end moved by more than a jump can move it."""
    with Redis.from_url(server.url) as client:

        def end() -> float:
            return float(client.zscore(f"{{{prefix}}}:lease", job_id) or 0)

        first = end()
        assert first
        running.until(lambda: end() > first + 2 * CLOCK_CAP_MS, lambda: running.log("w"))


def _assert_times(document: dict[str, Any], began: datetime, ended: datetime) -> None:
    """All times of a document lie between two of the ledger's."""
    slack = timedelta(seconds=1)
    told = re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", json.dumps(document))
    assert len(told) > 5
    assert all(began - slack <= datetime.fromisoformat(text) <= ended + slack for text in told), told
