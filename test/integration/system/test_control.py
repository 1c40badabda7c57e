"""Acts on thousands of jobs by real commands: two at once, and one that is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hysds.core.query import JobQuery
from services.redis import RedisServer
from worlds.system import RunningSystem

_MANY = 10_000
_FEW = 1_600


def _command(running: RunningSystem, *words: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hysds", *words],
        env=os.environ | running.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def _indexed(running: RunningSystem, status: str, count: int) -> None:
    query = JobQuery(status=frozenset({status}), limit=0)
    running.until(
        lambda: running.client.jobs(query).total == count,
        lambda: f"{running.client.jobs(query).total} of {count} {status}: {running.log('indexer')}",
    )


def _queued(running: RunningSystem, count: int) -> list[str]:
    spec = {
        "job_type": "job:x",
        "job_queue": "nobody",
        "payload": {"_command": "true"},
        "enable_dedup": False,
    }
    return [one.id for one in running.client.submit_many([spec] * count)]


def test_two_operators_who_cancel_the_same_jobs_at_once_get_sums_that_add_up(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer
) -> None:
    """Ten thousand jobs, two commands: each job was revoked by one of them, and the other found it ended, or its
    document changed before its turn came."""
    running = systems(f"{valkey_server.url[:-1]}1")
    running.start("indexer", "-m", "hysds", "indexer")
    _queued(running, _MANY)
    _indexed(running, "job-queued", _MANY)

    operators = [_command(running, "cancel", "--all", "--yes", "--json") for _ in range(2)]
    told = [operator.communicate(timeout=120) for operator in operators]

    assert [operator.returncode for operator in operators] == [0, 0]
    summaries = [json.loads(errors.splitlines()[-1]) for _, errors in told]
    for summary, (lines, errors) in zip(summaries, told, strict=True):
        passed_by = summary["answers"].get("unmatched", 0)
        assert sum(summary["answers"].values()) == summary["total"] == len(lines.splitlines()) + passed_by
        assert set(summary["answers"]) <= {"job-revoked", "ended", "unmatched"}
        assert summary["changed"] == summary["answers"].get("job-revoked", 0)
        assert "this matches every job that it could" in errors
    assert sum(summary["changed"] for summary in summaries) == _MANY
    revoked = [
        json.loads(line)["id"] for lines, _ in told for line in lines.splitlines() if "job-revoked" in line
    ]
    assert len(set(revoked)) == _MANY


def test_a_purge_that_is_killed_is_finished_by_the_same_command(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """Records, documents and the directories of what ran; a job that lives is as it was. Before it, nobody can be asked
    whether so many are meant.
    """
    running = systems(f"{valkey_server.url[:-1]}1", HYSDS_LEDGER_RENEW_INTERVAL="0.2")
    running.start("indexer", "-m", "hysds", "indexer")
    running.worker("w", unique_name, slots=1)
    ran = running.submit(unique_name, "true")
    directory = Path(running.client.wait(ran, 60)["attempts"][0]["job_dir"])
    jobs = _queued(running, _FEW + 1)
    running.client.cancel(jobs[1:])
    _indexed(running, "job-revoked", _FEW)
    _indexed(running, "job-completed", 1)
    unasked = _command(running, "purge", "--all")
    assert unasked.communicate(timeout=60)[1].splitlines()[-1].endswith("then say --yes")
    assert unasked.returncode == 2

    purge = _command(running, "purge", "--all", "--yes", "--verbose")
    assert purge.stdout is not None
    assert "  purged" in purge.stdout.readline()
    purge.kill()
    purge.communicate()
    again = _command(running, "purge", "--all", "--yes", "--json")
    again.communicate(timeout=60)
    assert again.returncode == 0

    assert running.client.jobs(JobQuery(status=frozenset({"job-revoked", "job-completed"}))).total == 0
    assert set(running.system.ledger.kept(jobs[1:])) == {None}
    assert running.client.job(jobs[0])["status"] == "job-queued"
    running.until(lambda: not list(directory.parent.glob(f"{ran}*")), lambda: running.log("w"))
