"""A worker or its guardian that is stopped, as a debugger or a starved host does it, and goes on later."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hysds.lib.process.guard import tree
from services.redis import RedisServer
from worlds.system import RunningSystem

SHORT = {
    "HYSDS_LEDGER_LEASE": "7s",
    "HYSDS_LEDGER_RENEW_INTERVAL": "0.5s",
    "HYSDS_WORKER_ISOLATION_LIMIT": "7s",
}


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Real SIGSTOPs, until the end of the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


class Began:
    """A job whose attempts write their pids, and wait for a gate. A later one fails if an earlier one still lives."""

    def __init__(self, running: RunningSystem, queue: str) -> None:
        self.running = running
        self.gate = running.home / "gate"
        self._pids = running.home / "pids"
        script = running.home / "script"
        script.write_text(
            f"for pid in $(cat {self._pids} 2>/dev/null); do "
            "grep -qs '^State:.[^ZX]' /proc/$pid/status && exit 9; done\n"
            f"setsid sh -c 'echo $$ >> {self._pids}; while ! test -e {self.gate}; do sleep 0.02; done' &\n"
            f"echo $$ >> {self._pids}\nwait\n"
        )
        self.id = running.submit(queue, f"sh {script}")

    def pids(self) -> list[int]:
        """Two an attempt."""
        return [int(pid) for pid in self._pids.read_text().split()] if self._pids.exists() else []

    def await_attempts(self, count: int, log: str) -> None:
        self.running.until(lambda: len(self.pids()) == 2 * count, lambda: self.running.log(log))

    def ends(self) -> list[tuple[str, str]]:
        """How each attempt ended, and on which worker, once the job has."""
        found = self.running.client.wait(self.id, 60)
        assert found["status"] == "job-completed"
        return [(attempt["how"], attempt["worker"].partition("@")[0]) for attempt in found["attempts"]]

    def directories(self) -> list[Path]:
        return sorted(self.running.home.glob(f"work/jobs/*/*/*/*/*/{self.id}.f*"))


def test_a_worker_that_was_stopped_for_a_lease_goes_on_and_works(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """Its guardian ended its job, and its lease ran out; awake again it finds the lease lost, commits nothing, and
    takes the next attempt under a new lease and a new guardian.
    """
    running = systems(f"{valkey_server.url[:-1]}1", **SHORT)
    running.start("reconciler", "-m", "hysds", "reconciler")
    worker = running.worker("w", unique_name, slots=1)
    job = Began(running, unique_name)
    job.await_attempts(1, "w")

    with stopped(worker.pid):
        running.until(lambda: running.client.job(job.id)["status"] == "job-queued", lambda: running.log("w"))
        assert not any(tree.is_alive(pid) for pid in job.pids())
        job.gate.touch()

    assert job.ends() == [("worker-lost", "w"), ("job-completed", "w")]
    worker.terminate()
    assert worker.wait(60) == 0


def test_the_successor_of_a_stopped_worker_s_job_runs_alone_and_the_late_commit_is_refused(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """The job's processes were gone before its successor started, which ran on while the stopped worker woke up: what
    that one had to say was refused, and its directory is gone.
    """
    running = systems(f"{valkey_server.url[:-1]}1", **SHORT)
    running.start("reconciler", "-m", "hysds", "reconciler")
    first = running.worker("first", unique_name, slots=1)
    job = Began(running, unique_name)
    job.await_attempts(1, "first")
    [lost] = job.directories()
    running.worker("second", unique_name, slots=1)

    with stopped(first.pid):
        job.await_attempts(2, "second")

    running.until(
        lambda: "was lost; nothing is recorded" in running.log("first"), lambda: running.log("first")
    )
    running.until(lambda: not lost.exists(), lambda: running.log("first"))
    assert running.client.job(job.id)["status"] == "job-started"
    [directory] = job.directories()
    assert directory.with_name(job.id).resolve() == directory.resolve()
    job.gate.touch()
    assert job.ends() == [("worker-lost", "first"), ("job-completed", "second")]


def test_the_word_that_a_living_worker_is_gone_takes_no_job_from_it(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """A guardian that gave its stopped worker up said so when the worker was awake again and had claimed anew: the
    new lease was lost while its processes lived.
    """
    running = systems(f"{valkey_server.url[:-1]}1")
    running.worker("w", unique_name, slots=1)
    job = Began(running, unique_name)
    job.await_attempts(1, "w")
    [worker] = running.system.ledger.workers()
    assert [held_id for held_id, _ in worker.held] == [job.id]

    told = running.start("gone", "-m", "hysds.cli.gone", worker.incarnation)
    assert told.wait(60) == 0
    job.gate.touch()

    assert job.ends() == [("job-completed", "w")]


@pytest.mark.parametrize("who", ["guardian", "keeper", "worker and guardian"])
def test_a_guardian_or_keeper_that_was_stopped_costs_no_second_run_beside_the_first(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str, who: str
) -> None:
    """A guardian goes on with its worker's next beat. A keeper that stands still is killed, and its command with it.
    With worker and guardian both stopped the keepers themselves end the commands, and the lease runs out.
    """
    running = systems(f"{valkey_server.url[:-1]}1", **SHORT)
    running.start("reconciler", "-m", "hysds", "reconciler")
    first = running.worker("first", unique_name, slots=1)
    job = Began(running, unique_name)
    job.await_attempts(1, "first")
    [guardian] = tree.children(first.pid)
    [keeper] = tree.children(guardian)
    running.worker("second", unique_name, slots=1)

    if who == "worker and guardian":
        with stopped(guardian, first.pid):
            job.await_attempts(2, "second")
    elif who == "guardian":
        os.kill(guardian, signal.SIGSTOP)
        running.until(lambda: not _is_stopped(guardian), lambda: running.log("first"))
    else:
        os.kill(keeper, signal.SIGSTOP)
        running.until(lambda: not tree.is_alive(keeper), lambda: running.log("first"))
    job.gate.touch()

    found = running.client.wait(job.id, 60)
    ends = [attempt["how"] for attempt in found["attempts"]]
    expected = {
        "guardian": ("job-completed", ["job-completed"]),
        "keeper": ("job-failed", ["user"]),
        "worker and guardian": ("job-completed", ["worker-lost", "job-completed"]),
    }
    assert (found["status"], ends) == expected[who]


def _is_stopped(pid: int) -> bool:
    return tree.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[:1] == [b"T"]
