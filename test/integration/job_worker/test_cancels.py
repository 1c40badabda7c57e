"""A cancel at each step of a job's way: it ends revoked, or completed if it really did, and nothing of it lives."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hysds.core.status import Status
from hysds.lib.process.guard import tree
from worlds.job_worker import Bench, make


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A FIFO: whoever opens it to write has a reader, and the reader goes on when it closes it."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def cancelled(bench: Bench, job_id: str) -> None:
    """Ask for the job's end, and let the worker hear of it."""
    bench.ledger.cancel([job_id])
    bench.heed()


def began(bench: Bench, job_id: str) -> None:
    """Wait for the first output of a job that is being performed."""
    fence = bench.ledger.book.records[job_id].fence
    while not fence or not bench.logs.read(job_id, fence, "", 1, 1.0).chunks:
        fence = bench.ledger.book.records[job_id].fence


def assert_revoked(bench: Bench, job_id: str) -> dict[str, Any]:
    found = bench.job(job_id)
    assert (found["status"], found["failure_class"]) == ("job-revoked", "cancelled")
    assert not bench.lives(job_id)
    return found


def test_a_queued_job_is_revoked_and_never_claimed(bench: Bench) -> None:
    """No worker hears of it."""
    job_id = bench.submit("true")
    cancelled(bench, job_id)

    assert bench.worker.perform("q", lambda shown: None) is None
    assert assert_revoked(bench, job_id).get("attempts", []) == []


def test_a_job_in_hand_is_revoked_without_a_run(bench: Bench, tmp_path: Path) -> None:
    """Its lease came with the end of the job before; no thread has taken it up."""
    first = bench.submit("true")
    second = bench.submit(f"touch {tmp_path / 'ran'}")
    assert bench.worker.perform("q", lambda shown: None) == first
    assert bench.job(second)["status"] == "job-started"

    cancelled(bench, second)
    assert bench.worker.perform("q", lambda shown: None) == second

    assert_revoked(bench, second)
    assert not (tmp_path / "ran").exists()


def test_a_job_that_is_prepared_is_revoked_without_a_run(bench: Bench, tmp_path: Path) -> None:
    """The cancel comes between the claim and the start."""
    job_id = bench.submit(f"touch {tmp_path / 'ran'}")

    bench.worker.perform("q", lambda shown: cancelled(bench, shown))

    assert_revoked(bench, job_id)
    assert not (tmp_path / "ran").exists()


def test_a_job_that_is_being_started_is_stopped_as_soon_as_it_runs(bench: Bench) -> None:
    """The cancel comes when the worker has decided to start it."""
    job_id = bench.submit("sleep 1000")
    bench.hooks.starting = lambda: cancelled(bench, job_id)

    bench.worker.perform("q", lambda shown: None)

    assert_revoked(bench, job_id)


def test_a_running_job_is_ended_with_all_that_it_started(bench: Bench, gate: Path, tmp_path: Path) -> None:
    """Children in sessions of their own that ignore SIGTERM too."""
    script = tmp_path / "script"
    script.write_text(f"trap '' TERM\nsetsid sh -c 'cat {gate}; sleep 1000' &\nsleep 1000\n")
    job_id = bench.submit(f"sh {script}")
    with bench.performing():
        os.close(os.open(gate, os.O_WRONLY))  # opens when the child runs
        assert bench.lives(job_id)
        cancelled(bench, job_id)

    assert_revoked(bench, job_id)


@pytest.mark.parametrize(("code", "status"), [(0, "job-completed"), (1, "job-revoked")])
def test_a_job_that_has_just_ended_keeps_a_success_alone(bench: Bench, code: int, status: str) -> None:
    """The cancel comes between the command's end and the commit: what really completed is completed."""
    job_id = bench.submit(f"sh -c 'echo output; exit {code}'", retry={"user": {"attempts": 5}})
    bench.hooks.finishing = lambda: cancelled(bench, job_id)

    bench.worker.perform("q", lambda shown: None)

    assert bench.job(job_id)["status"] == status


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Bench]:
    """A worker that drains without delay, and gives jobs a long grace."""
    made = make(tmp_path, drain_timeout_s=0.0, stop_grace_s=3600.0)
    yield made
    made.worker.close()
    made.ledger.close()
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_a_job_that_a_drain_stops_is_revoked_where_a_cancel_comes_meanwhile(
    patient: Bench, gate: Path, tmp_path: Path
) -> None:
    """The drain would have given it back; asked for the end of both, the job ends."""
    script = tmp_path / "script"
    script.write_text(f"trap 'cat {gate}; exit 3' TERM\necho began\nwhile :; do sleep 0.02; done\n")
    job_id = patient.submit(f"sh {script}")
    done = threading.Event()
    with patient.performing():
        began(patient, job_id)
        patient.worker.drain(done.set)
        writer = os.open(gate, os.O_WRONLY)  # opens when the command was asked to end
        cancelled(patient, job_id)
        os.close(writer)

    assert done.wait(30)
    assert_revoked(patient, job_id)


def test_a_worker_that_is_shut_down_leaves_no_cancelled_job_behind(bench: Bench, gate: Path) -> None:
    """Nothing is committed any more; the ledger, told that the worker leaves, revokes the job."""
    job_id = bench.submit(f"cat {gate}")
    with bench.performing():
        writer = os.open(gate, os.O_WRONLY)
        bench.ledger.cancel([job_id])
        bench.worker.close()
    os.close(writer)

    assert_revoked(bench, job_id)


def test_a_cancel_reaches_a_job_whose_guardian_was_stopped(bench: Bench) -> None:
    """The next sign of life wakes it: without it no command starts."""
    job_id = bench.submit("sleep 1000")
    [guardian] = [pid for pid in tree.children(os.getpid()) if b"guard" in tree.read(f"/proc/{pid}/cmdline")]
    os.kill(guardian, signal.SIGSTOP)
    with bench.performing():
        with bench.ledger.changed:
            assert bench.ledger.changed.wait_for(
                lambda: bench.ledger.book.records[job_id].status is Status.STARTED, 30
            )
        bench.engine.beat()
        cancelled(bench, job_id)

    assert_revoked(bench, job_id)
