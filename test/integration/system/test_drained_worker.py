"""Workers that are drained: for a restart, and by an operator's order."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.record import FOREVER
from services.redis import RedisServer
from worlds.system import RunningSystem

JOBS = 40


def state(running: RunningSystem, name: str) -> WorkerState | None:
    """What a worker says of itself; None while it is not announced."""
    states = [found for found in running.system.ledger.workers() if found.name == f"{name}@here"]
    return states[0] if states else None


def gate(running: RunningSystem, name: str) -> str:
    found = state(running, name)
    return "" if found is None else str(json.loads(found.facts)["gate"])


def test_a_warm_restart_under_load_loses_nothing_and_burns_nothing(
    systems: Callable[..., RunningSystem], broker_url: str, unique_name: str
) -> None:
    """SIGTERM while jobs run and others wait: what can't end in time is released and runs on the other worker; every
    job completes, no budget has less than before.
    """
    running = systems(
        broker_url, HYSDS_WORKER_DRAIN_TIMEOUT="0.5s", HYSDS_WORKER_STOP_GRACE="1s", HYSDS_LEDGER_LEASE="1h",
        HYSDS_WORKER_ISOLATION_LIMIT="1h",
    )  # fmt: skip
    gate_file = running.home / "gate"
    began = running.home / "began"
    began.mkdir()
    wait = f"sh -c 'touch {began}/$HYSDS_JOB_ID; while ! test -e {gate_file}; do sleep 0.02; done'"
    first = running.worker("first", unique_name, slots=3)
    long = [running.submit(unique_name, wait, enable_dedup=False, priority=9) for _ in range(2)]
    running.until(lambda: len(list(began.iterdir())) == 2, lambda: running.log("first"))
    short = [running.submit(unique_name, "sleep 0.05", enable_dedup=False) for _ in range(JOBS)]
    running.worker("second", unique_name, slots=3)
    running.until(lambda: state(running, "second") is not None, lambda: running.log("second"))

    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0
    gate_file.touch()

    found = [running.client.wait(job_id, 90) for job_id in [*long, *short]]
    assert {job["status"] for job in found} == {"job-completed"}
    for job in found[:2]:
        ends = [(attempt["how"], attempt["worker"].partition("@")[0]) for attempt in job["attempts"]]
        assert ends == [("released", "first"), ("job-completed", "second")]
    hows = {attempt["how"] for job in found for attempt in job["attempts"]}
    assert hows == {"released", "job-completed"}
    for kept in running.system.ledger.kept([*long, *short]):
        assert kept is not None
        assert (kept.record.fails, kept.record.lost_left, kept.record.preempt_left) == ("", 2, FOREVER)


def test_a_worker_obeys_an_order_and_works_again_when_it_is_taken_back(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """Over a real ledger: its gate says why it is shut, a restart does not lift the order, and a job that waited runs
    as soon as it is lifted, with nobody ringing.
    """
    running = systems(f"{valkey_server.url[:-1]}1")
    worker = running.worker("w", unique_name)
    running.until(lambda: gate(running, "w") == "open", lambda: running.log("w"))

    running.system.ledger.drain(Drain("w@here", "new kernel"))
    running.until(lambda: gate(running, "w") == "draining: new kernel", lambda: running.log("w"))
    job_id = running.submit(unique_name, "true")
    worker.terminate()
    assert worker.wait(60) == 0
    running.worker("w", unique_name)
    running.until(lambda: gate(running, "w") == "draining: new kernel", lambda: running.log("w"))
    assert running.client.job(job_id)["status"] == "job-queued"

    assert running.system.ledger.undrain("w@here")

    assert running.client.wait(job_id, 60)["status"] == "job-completed"
    assert [attempt["how"] for attempt in running.client.job(job_id)["attempts"]] == ["job-completed"]


def test_what_a_worker_announces_is_what_its_process_is(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """For those who look for it on its host."""
    running = systems(f"{valkey_server.url[:-1]}1")
    worker = running.worker("w", unique_name, slots=2)
    running.until(lambda: gate(running, "w") == "open", lambda: running.log("w"))

    found = state(running, "w")
    assert found is not None
    facts = json.loads(found.facts)

    assert facts["pid"] == worker.pid
    assert facts["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert facts["work_dir"] == str(running.home / "work")
    assert (facts["has"]["slots"], facts["free"]["slots"]) == (2, 2)
