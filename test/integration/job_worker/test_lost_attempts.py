"""Attempts whose lease was lost, or whose guards were killed: nothing of them is left, and no end is told twice."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.floor_requests import Fit
from hysds.core.requests import Bid, Moved
from hysds.leasing import foothold, marks, workdir
from hysds.leasing.attempt import Stop
from hysds.leasing.foothold import Foothold, Holder, Unjudged
from hysds.leasing.orphans import Orphans
from hysds.lib import machine
from hysds.lib.process import suspects
from hysds.lib.process.guard import tree
from worlds.job_worker import Bench, make


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A FIFO that a command waits at."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def directories(bench: Bench) -> list[str]:
    """What lies where attempts work: their directories, and the jobs' links."""
    return sorted(path.name for path in (bench.work_dir / workdir.JOBS).glob("*/*/*/*/*/*"))


def test_an_attempt_whose_commit_comes_too_late_leaves_no_directory(bench: Bench, gate: Path) -> None:
    """The ledger had given the job back already; the bid of the refused commit may win it anew."""
    job_id = bench.submit(f"cat {gate}")
    with bench.performing():
        writer = os.open(gate, os.O_WRONLY)
        assert len(directories(bench)) == 2
        bench.ledger.leave("w@test/1")
        os.close(writer)

    assert [attempt.get("how") for attempt in bench.job(job_id)["attempts"]] == ["worker-lost", None]
    assert directories(bench) == []


def test_an_attempt_that_is_told_of_its_loss_leaves_its_successors_things_alone(
    bench: Bench, gate: Path, tmp_path: Path
) -> None:
    """Another worker of the host runs the job meanwhile: its directory and the job's link stay."""
    job_id = bench.submit(f"sh -c 'test -e {tmp_path}/again || exec cat {gate}'")
    other = make(tmp_path, "other@test/1", bench.ledger)
    try:
        with bench.performing():
            writer = os.open(gate, os.O_WRONLY)
            bench.ledger.leave("w@test/1")
            (tmp_path / "again").touch()
            assert other.worker.perform("q", lambda shown: None) == job_id
            bench.heed()
        os.close(writer)
    finally:
        other.worker.close()

    found = bench.job(job_id)
    assert [attempt["how"] for attempt in found["attempts"]] == ["worker-lost", "job-completed"]
    assert directories(bench) == sorted([job_id, bench.directory(found).name])
    assert not bench.lives(job_id)


def test_a_directory_under_a_live_lease_stays_whatever_the_worker_was_told(bench: Bench, gate: Path) -> None:
    """The ledger alone says whether a lease is lost."""
    job_id = bench.submit(f"cat {gate}")
    with bench.performing():
        writer = os.open(gate, os.O_WRONLY)
        [attempt] = bench.parts.holdings.all()
        attempt.stop(Stop.LOST, grace_s=0)
    os.close(writer)

    assert bench.job(job_id)["status"] == "job-started"
    assert len(directories(bench)) == 2


def test_a_released_attempt_keeps_its_directory(tmp_path: Path, gate: Path) -> None:
    """Its end is on record, and people may look at what it left."""
    bench = make(tmp_path, drain_timeout_s=0.0)
    try:
        job_id = bench.submit(f"cat {gate}")
        done = threading.Event()
        with bench.performing():
            writer = os.open(gate, os.O_WRONLY)
            bench.worker.drain(done.set)
        os.close(writer)
        assert done.wait(30)

        found = bench.job(job_id)
        assert [attempt["how"] for attempt in found["attempts"]] == ["released"]
        assert bench.directory(found).is_dir()
        assert not bench.lives(job_id)
    finally:
        bench.worker.close()


def test_what_keeper_and_guardian_leave_when_both_are_killed_is_ended_before_the_end_is_told(
    bench: Bench, gate: Path, tmp_path: Path
) -> None:
    """The worker looks for the attempt's processes itself; the failure counts as a lost worker's."""
    script = tmp_path / "script"
    script.write_text(f"setsid sh -c 'cat {gate}; sleep 1000' &\nexec sleep 1000\n")
    job_id = bench.submit(f"sh {script}")
    [guardian] = [pid for pid in tree.children(os.getpid()) if b"guard" in tree.read(f"/proc/{pid}/cmdline")]
    with bench.performing():
        os.close(os.open(gate, os.O_WRONLY))
        [keeper] = tree.children(guardian)
        os.kill(guardian, signal.SIGSTOP)  # neither gets to act on the other's death
        os.kill(keeper, signal.SIGSTOP)
        os.kill(keeper, signal.SIGKILL)
        os.kill(guardian, signal.SIGKILL)

    [attempt] = bench.job(job_id)["attempts"]
    assert (attempt["failure"], attempt["phase"]) == ("worker-lost", "execute")
    assert not bench.lives(job_id)


class Watched(MemoryLedger):
    """Notes whether a process lives at the moment in which the ledger is told of its worker's end."""

    def __init__(self, pid: int) -> None:
        super().__init__(retention_ms=3_600_000)
        self.pid = pid
        self.told: list[tuple[str, bool]] = []

    def leave(self, worker: str) -> Moved:
        self.told.append((worker, tree.is_alive(self.pid)))
        return super().leave(worker)


def orphan(variables: dict[str, str]) -> int:
    """A process that is nobody's child, in a session of its own."""
    # It speaks from its session: one that is still in ours would have all of ours killed with it.
    script = "setsid sh -c 'echo $$; exec sleep 1000 >/dev/null 2>&1' &"
    command = ["sh", "-c", script]
    started = subprocess.run(command, env=os.environ | variables, capture_output=True, check=True)
    return int(started.stdout)


@pytest.mark.parametrize("boot_id", [machine.this().boot_id, "another"])
def test_the_ledger_is_told_of_a_dead_worker_when_nothing_of_its_jobs_lives(
    tmp_path: Path, boot_id: str
) -> None:
    """After a reboot nothing can: then nobody is looked for, and a process of today that looks alike is left alone."""
    here = machine.this()
    began = suspects.origin()
    dead = Holder("dead@test/1", replace(here, boot_id=boot_id), "a ledger", began)
    pid = orphan({"HYSDS_JOB_WORKER": dead.incarnation})
    try:
        ledger = Watched(pid)
        place = workdir.locate(tmp_path, "a-job", 7, 0)
        hold = Foothold(tmp_path, dead)
        hold.begin(place)
        workdir.create(place)
        hold.close()

        Orphans(tmp_path, ledger, Holder("w@test/2", here, "a ledger", began)).take_all()

        assert ledger.told == [("dead@test/1", boot_id != here.boot_id)]
        assert not place.path.exists()
        assert foothold.all_folders(tmp_path) == []
    finally:
        if tree.is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_worker_ends_what_dead_ones_left_before_it_can_bid_and_asks_no_ledger(tmp_path: Path) -> None:
    """Their leases may have run out long ago: its first bid could win a job whose lost attempt still runs."""
    pid = orphan({"HYSDS_JOB_WORKER": "dead@test/1"})
    ledger = Watched(pid)
    dead, bench = make(tmp_path, "dead@test/1", ledger), make(tmp_path, "w@test/2", ledger)
    try:
        dead.parts.foothold.begin(workdir.locate(dead.work_dir, "a-job", 7, 0))
        dead.parts.foothold.close()
        assert tree.is_alive(pid)

        bench.worker.prepare()

        assert not tree.is_alive(pid)
        assert ledger.told == []
    finally:
        dead.worker.close()
        bench.worker.close()


def test_of_a_worker_without_a_lock_what_lost_its_lease_is_ended_and_nothing_else(bench: Bench) -> None:
    """A cleaner took the lock away, and then all were killed at once: nobody can prove its death. The ledger's word on
    a lease is enough to end the attempt's processes; its directory may be another host's.
    """
    lost, live = (bench.submit("true") for _ in range(2))
    fences = {}
    for job_id in (lost, live):
        claimed = bench.ledger.claim(Bid("dead@test/1", ("q",), Fit(("1s",)), bench.new_id(), 30_000, 60_000))
        assert claimed.lease is not None
        fences[job_id] = claimed.lease.record.fence
    bench.ledger.release(lost, fences[lost], 0, "")
    path = foothold.folder(bench.work_dir, "dead@test/1")
    path.mkdir()
    pids, places = {}, []
    for job_id, fence in fences.items():
        places.append(workdir.locate(bench.work_dir, job_id, fence, 0))
        places[-1].path.mkdir(parents=True)
        (path / places[-1].path.name).symlink_to(places[-1].path)
        values = (job_id, str(fence), "dead@test/1")
        pids[job_id] = orphan(dict(zip(marks.MARKS, values, strict=True)))
    try:
        bench.parts.orphans.take_all()

        assert (tree.is_alive(pids[lost]), tree.is_alive(pids[live])) == (False, True)
        assert all(place.path.is_dir() for place in places)
        assert bench.parts.orphans.unjudged() == ((path, Unjudged.BARE),)
        assert bench.job(live)["status"] == "job-started"
    finally:
        os.kill(pids[live], signal.SIGKILL)
