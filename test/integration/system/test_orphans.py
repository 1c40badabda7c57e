"""Worker, guardian and keeper killed together, and a host that crashed: the next worker of the host puts it right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hysds.lib.process.guard import tree
from services import pid_namespaces
from services.redis import RedisServer
from worlds.system import RunningSystem


@pytest.mark.parametrize("crash", ["processes", "host"])
def test_the_next_worker_of_a_host_ends_what_a_dead_one_left_and_its_jobs_run_at_once(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str, crash: str
) -> None:
    """With a lease of an hour it is the lock's word that frees the job: nobody else is left who could. Children in
    sessions of their own are gone before the job runs again; the lost attempt leaves no directory.
    """
    running = systems(
        f"{valkey_server.url[:-1]}1", HYSDS_LEDGER_LEASE="1h", HYSDS_WORKER_ISOLATION_LIMIT="1h"
    )
    first = running.worker("first", unique_name, slots=1)
    pids, gate = running.home / "pids", running.home / "gate"
    script = running.home / "script"
    script.write_text(
        f"for pid in $(cat {pids} 2>/dev/null); do grep -qs '^State:.[^ZX]' /proc/$pid/status && exit 9; done\n"
        f"setsid sh -c 'trap \"\" TERM; echo $$ >> {pids}; while :; do sleep 1000; done' &\n"
        f"echo $$ >> {pids}\n"
        f"while ! test -e {gate}; do sleep 0.02; done\n"
        "kill -9 $!\n"
    )  # fmt: skip
    job_id = running.submit(unique_name, f"sh {script}")
    running.until(lambda: pids.exists() and len(pids.read_text().split()) == 2, lambda: running.log("first"))
    left = [int(pid) for pid in pids.read_text().split()]
    _kill_all(first.pid, with_jobs=crash == "host")
    first.wait()
    if crash == "host":
        _pretend_reboot(running)
    lost = running.client.job(job_id)["fence"]

    running.worker("second", unique_name, slots=1)

    running.until(lambda: running.client.job(job_id).get("fence") != lost, lambda: running.log("second"))
    gate.touch()
    found = running.client.wait(job_id, 60)
    assert found["status"] == "job-completed"
    assert [attempt["how"] for attempt in found["attempts"]] == ["worker-lost", "job-completed"]
    assert not any(tree.is_alive(pid) for pid in left)
    directory = Path(found["attempts"][-1]["job_dir"])
    assert sorted(path.name for path in directory.parent.iterdir()) == sorted([job_id, directory.name])


def _kill_all(worker: int, with_jobs: bool) -> None:
    """None of them gets to act on another's death; in a host's crash the jobs die too."""
    [guardian] = tree.children(worker)
    [keeper] = tree.children(guardian)
    os.kill(guardian, signal.SIGSTOP)
    os.kill(keeper, signal.SIGSTOP)
    jobs = tree.below(tree.children(keeper)) if with_jobs else []
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in jobs:
            os.kill(pid, number)
    for pid in (worker, keeper, guardian):
        os.kill(pid, signal.SIGKILL)


def _pretend_reboot(running: RunningSystem) -> None:
    """As a lock file looks like that was written before the last boot."""
    [lock] = running.home.glob("work/.workers/*/lock")
    said = json.loads(lock.read_text())
    said["machine"]["boot_id"] = "the one before"
    lock.write_text(json.dumps(said))


def test_workers_of_one_host_look_after_each_other(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """A running worker looks now and then: nobody need start one for what was killed beside it."""
    running = systems(
        f"{valkey_server.url[:-1]}1",
        HYSDS_LEDGER_LEASE="1h",
        HYSDS_WORKER_ISOLATION_LIMIT="1h",
        HYSDS_LEDGER_RENEW_INTERVAL="0.1s",
    )
    first = running.worker("first", unique_name, slots=1)
    pids, gate = running.home / "pids", running.home / "gate"
    job_id = running.submit(
        unique_name, f"sh -c 'echo $$ >> {pids}; while ! test -e {gate}; do sleep 0.02; done'"
    )
    running.until(lambda: pids.exists() and pids.read_text().endswith("\n"), lambda: running.log("first"))
    running.worker("second", unique_name, slots=1)
    running.until(lambda: len(running.system.ledger.workers()) == 2, lambda: running.log("second"))

    _kill_all(first.pid, with_jobs=False)

    running.until(lambda: len(pids.read_text().split()) == 2, lambda: running.log("second"))
    assert not tree.is_alive(int(pids.read_text().split()[0]))
    gate.touch()
    assert running.client.wait(job_id, 60)["status"] == "job-completed"


def test_a_job_that_stands_queued_again_runs_after_the_end_of_its_lost_attempt(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """Its worker and all that guarded it were dead for longer than the lease. The host's next worker could win it with
    its first bid: before that it ends what it finds, and of a hundred processes none sees the successor.
    """
    running = systems(
        f"{valkey_server.url[:-1]}1", HYSDS_LEDGER_LEASE="1h", HYSDS_WORKER_ISOLATION_LIMIT="1h"
    )
    first = running.worker("first", unique_name, slots=1)
    pids, script = running.home / "pids", running.home / "script"
    script.write_text(
        f"if test -e {pids}; then\n"
        f"  for pid in $(cat {pids}); do grep -qs '^State:.[^ZX]' /proc/$pid/status && exit 9; done; exit 0\n"
        "fi\n"
        f"for n in $(seq 100); do sleep 1000 & echo $! >> {pids}.part; done\n"
        f"echo $$ >> {pids}.part; mv {pids}.part {pids}\n"
        "sleep 1000\n"
    )
    job_id = running.submit(unique_name, f"sh {script}")
    running.until(pids.exists, lambda: running.log("first"))
    _kill_all(first.pid, with_jobs=False)
    first.wait()
    [state] = running.system.ledger.workers()
    running.system.ledger.leave(state.incarnation)  # as when its leases have run out
    assert running.client.job(job_id)["status"] == "job-queued"
    assert tree.is_alive(int(pids.read_text().split()[-1]))

    running.worker("second", unique_name, slots=1)

    assert running.client.wait(job_id, 60)["status"] == "job-completed"


def test_a_container_of_the_same_name_leaves_the_jobs_of_another_to_their_leases(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """It shares name, machine id and disk with the dead worker, but can't see whether the command lives; it did live
    beside its successor. A worker that sees it puts it right.
    """
    inside = pid_namespaces.run_in()
    running = systems(
        f"{valkey_server.url[:-1]}1", HYSDS_LEDGER_LEASE="1h", HYSDS_WORKER_ISOLATION_LIMIT="1h"
    )
    first = running.worker("first", unique_name, slots=1)
    pids, gate = running.home / "pids", running.home / "gate"
    job_id = running.submit(
        unique_name, f"sh -c 'echo $$ >> {pids}; while ! test -e {gate}; do sleep 0.02; done'"
    )
    running.until(lambda: pids.exists() and pids.read_text().endswith("\n"), lambda: running.log("first"))
    lost = running.client.job(job_id)["fence"]
    _kill_all(first.pid, with_jobs=False)
    first.wait()

    running.worker("inside", unique_name, slots=1, run_in=inside)

    running.until(lambda: "another pid namespace" in running.log("inside"), lambda: running.log("inside"))
    found = running.client.job(job_id)
    assert (found["status"], found["fence"]) == ("job-started", lost)
    assert tree.is_alive(int(pids.read_text()))
    running.worker("outside", unique_name, slots=1)
    running.until(lambda: len(pids.read_text().split()) == 2, lambda: running.log("outside"))
    assert not tree.is_alive(int(pids.read_text().split()[0]))
    gate.touch()
    assert running.client.wait(job_id, 60)["status"] == "job-completed"


def test_a_copy_of_the_work_directories_costs_a_living_worker_nothing(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """The copy's lock is free, for nobody ever held it: its worker was taken for dead, and its jobs were killed."""
    running = systems(
        f"{valkey_server.url[:-1]}1", HYSDS_LEDGER_LEASE="1h", HYSDS_WORKER_ISOLATION_LIMIT="1h"
    )
    running.worker("first", unique_name, slots=1)
    began, gate = running.home / "began", running.home / "gate"
    job_id = running.submit(
        unique_name, f"sh -c 'touch {began}; while ! test -e {gate}; do sleep 0.02; done'"
    )
    running.until(began.exists, lambda: running.log("first"))
    copy = running.home / "copy"
    subprocess.run(["cp", "-a", running.home / "work", copy], check=True)

    running.worker("second", f"{unique_name}-other", slots=1, HYSDS_WORKER_WORK_DIR=str(copy))

    running.until(lambda: "it is a copy" in running.log("second"), lambda: running.log("second"))
    gate.touch()
    found = running.client.wait(job_id, 60)
    assert [attempt["how"] for attempt in found["attempts"]] == ["job-completed"]
