"""A worker that is stopped, as a debugger or a starved host does it, and goes on later."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from services.redis import RedisServer
from worlds.system import RunningSystem


def test_a_worker_that_was_stopped_for_a_lease_goes_on_and_works(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """Its guardian ended its job, and its lease ran out; awake again it finds the lease lost, commits nothing, and
    takes the next attempt under a new lease and a new guardian.
    """
    running = systems(
        f"{valkey_server.url[:-1]}1",
        HYSDS_LEDGER_LEASE="7s",
        HYSDS_LEDGER_RENEW_INTERVAL="0.5s",
        HYSDS_WORKER_ISOLATION_LIMIT="7s",
    )
    running.start("reconciler", "-m", "hysds", "reconciler")
    worker = running.worker("w", unique_name, slots=1)
    began, gate = running.home / "began", running.home / "gate"
    job_id = running.submit(
        unique_name, f"sh -c 'echo $$ >> {began}; while ! test -e {gate}; do sleep 0.02; done'"
    )
    running.until(lambda: began.exists() and began.read_text().endswith("\n"), lambda: running.log("w"))
    [pid] = began.read_text().split()

    worker.send_signal(signal.SIGSTOP)
    running.until(lambda: running.client.job(job_id)["status"] == "job-queued", lambda: running.log("w"))
    assert not Path(f"/proc/{pid}").exists()
    gate.touch()
    worker.send_signal(signal.SIGCONT)

    found = running.client.wait(job_id, 60)
    assert found["status"] == "job-completed"
    assert [attempt["how"] for attempt in found["attempts"]] == ["worker-lost", "job-completed"]
    worker.terminate()
    assert worker.wait(60) == 0


def test_the_word_that_a_living_worker_is_gone_takes_no_job_from_it(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """A guardian that gave its stopped worker up said so when the worker was awake again and had claimed anew: the
    new lease was lost while its processes lived.
    """
    running = systems(f"{valkey_server.url[:-1]}1")
    running.worker("w", unique_name, slots=1)
    began, gate = running.home / "began", running.home / "gate"
    job_id = running.submit(
        unique_name, f"sh -c 'touch {began}; while ! test -e {gate}; do sleep 0.02; done'"
    )
    running.until(began.exists, lambda: running.log("w"))
    [worker] = running.system.ledger.workers()
    assert [held_id for held_id, _ in worker.held] == [job_id]

    told = running.start("gone", "-m", "hysds.cli.gone", worker.incarnation)
    assert told.wait(60) == 0
    gate.touch()

    found = running.client.wait(job_id, 60)
    assert [attempt["how"] for attempt in found["attempts"]] == ["job-completed"]
