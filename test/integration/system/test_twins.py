"""Two workers with one name: leases belong to the incarnation, so both work, and neither's end is the other's."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from worlds.system import RunningSystem


def test_two_workers_of_one_name_work_side_by_side_and_one_s_end_takes_nothing_from_the_other(
    systems: Callable[..., RunningSystem], broker_url: str, unique_name: str
) -> None:
    """On one host, in one work directory, on one queue. One is killed: its job goes on to run elsewhere, the other's
    runs on. The other one leaves in order, and completes what it has.
    """
    running = systems(broker_url, HYSDS_LEDGER_LEASE="1h", HYSDS_WORKER_ISOLATION_LIMIT="1h")
    twins = [running.worker("twin", unique_name, slots=1) for _ in range(2)]
    running.until(
        lambda: [found.name for found in running.system.ledger.workers()] == ["twin@here"] * 2,
        lambda: running.log("twin"),
    )
    began, gates = running.home / "began", running.home / "gates"
    began.mkdir()
    gates.mkdir()
    wait = (
        f"sh -c 'echo $$ > {began}/$HYSDS_JOB_ID.$HYSDS_JOB_FENCE; "
        f"while ! test -e {gates}/$HYSDS_JOB_ID; do sleep 0.02; done'"
    )
    jobs = [running.submit(unique_name, wait, enable_dedup=False) for _ in range(2)]
    running.until(lambda: len(list(began.iterdir())) == 2, lambda: running.log("twin"))
    owners = {found.incarnation: found.held[0][0] for found in running.system.ledger.workers()}
    assert sorted(owners.values()) == sorted(jobs)

    victim = _incarnation_of(running, twins[0].pid)
    lost, kept = owners[victim], next(job for worker, job in owners.items() if worker != victim)
    twins[0].kill()
    running.until(lambda: _status(running, lost) == "job-queued", lambda: running.log("twin"))
    assert _status(running, kept) == "job-started"
    (gates / kept).touch()

    assert [attempt["how"] for attempt in running.client.wait(kept, 60)["attempts"]] == ["job-completed"]
    (gates / lost).touch()
    found = running.client.wait(lost, 60)
    assert [attempt["how"] for attempt in found["attempts"]] == ["worker-lost", "job-completed"]
    twins[1].send_signal(signal.SIGTERM)
    assert twins[1].wait(60) == 0
    assert running.system.ledger.workers() == ()
    assert list(Path(running.home, "work", ".workers").iterdir()) == []


def _status(running: RunningSystem, job_id: str) -> str:
    return str(running.client.job(job_id)["status"])


def _incarnation_of(running: RunningSystem, pid: int) -> str:
    """By the process id that the worker announced."""
    [found] = [
        found.incarnation
        for found in running.system.ledger.workers()
        if f'"pid": {pid},' in found.facts or f'"pid":{pid},' in found.facts
    ]
    return found
