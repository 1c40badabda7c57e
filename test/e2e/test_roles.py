"""The roles as processes: ready when they say so, ended cleanly by the first signal."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

_JOBS = 300


def _submit_many(command_line: Any, count: int) -> list[str]:
    names = []
    for number in range(count):
        path = command_line.directory / f"{number}.json"
        path.write_text(json.dumps({"job_type": "job:x", "payload": {"_command": "true", "n": number}}))
        names.append(str(path))
    submitted = command_line.hysds("submit", *names)
    assert submitted.returncode == 0, submitted.stderr
    return list(submitted.stdout.decode().split())


def test_an_indexer_that_is_told_to_end_writes_first_what_there_is(with_server: Any) -> None:
    """SIGTERM as soon as it is ready: every job that was accepted before is in the store, and the exit code is 0."""
    ids = _submit_many(with_server, _JOBS)
    indexer = with_server.start_ready("indexer")
    indexer.process.send_signal(signal.SIGTERM)

    assert indexer.end() == 0, indexer.err
    found = with_server.hysds("jobs", "--json", "--limit", "1000")
    assert sorted(json.loads(line)["id"] for line in found.stdout.splitlines()) == sorted(ids)


@pytest.mark.parametrize(
    ("role", "number"),
    [
        ("indexer", signal.SIGTERM),
        ("indexer", signal.SIGINT),
        ("indexer", signal.SIGHUP),
        ("reconciler", signal.SIGTERM),
        ("reconciler", signal.SIGINT),  # SIGHUP has it read its files of job types again
    ],
)
def test_a_role_ends_cleanly_at_the_first_signal(with_server: Any, role: str, number: signal.Signals) -> None:
    """Each of these signals ends it with 0 and without a traceback; its first line says what it is."""
    started = with_server.start_ready(role)
    started.process.send_signal(number)

    assert started.end() == 0
    assert b"Traceback" not in started.err
    assert f"{role} starts, for the ledger at ".encode() in started.err.splitlines()[0]


@pytest.mark.parametrize("role", [["indexer"], ["reconciler"], ["worker", "job"]])
def test_a_role_without_a_ledger_says_so(command_line: Any, role: list[str]) -> None:
    """A server that is not there at the start is an error of the operator's: exit code 4, and a sentence."""
    command_line.environment["HYSDS_LEDGER_URL"] = "redis://127.0.0.1:1/0"
    run = command_line.hysds(*role)

    assert run.returncode == 4
    assert len([line for line in run.stderr.splitlines() if b" starts, for " not in line]) == 2
    assert b"the ledger can't be reached" in run.stderr
    assert b"Traceback" not in run.stderr


def test_a_worker_that_could_not_write_its_jobs_files_is_refused(with_server: Any) -> None:
    """The directory and the setting are named, before Celery starts."""
    with_server.environment["HYSDS_WORKER_WORK_DIR"] = "/dev/null/work"
    run = with_server.hysds("worker", "job")

    assert run.returncode == 2
    assert b"/dev/null/work" in run.stderr
    assert b"HYSDS_WORKER_WORK_DIR" in run.stderr


def test_the_worker_is_the_one_that_celery_starts(with_server: Any) -> None:
    """`hysds worker job` becomes `celery -A hysds worker` in the same process, with the queues and slots asked for."""
    worker = with_server.start("worker", "job", "--queues", "gpu,cpu", "--slots", "3", "--name", "w7")
    worker.await_text("ready")
    command = Path(f"/proc/{worker.process.pid}/cmdline").read_bytes().decode().split("\0")

    assert command[1:] == [
        "-m", "celery", "-A", "hysds", "worker", "-Q", "gpu,cpu", "-c", "3", "-n", "w7", "--loglevel", "INFO", ""
    ]  # fmt: skip
    worker.process.send_signal(signal.SIGTERM)
    assert worker.end() == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--slots", "0"], "worker.slots"),
        (["--slots", "2000"], "worker.slots"),
        (["--queues", "a queue"], "worker.queues"),
        (["--queues", ""], "worker.queues"),
        (["--name", "a b"], "worker.name"),
    ],
)
def test_a_worker_that_can_not_be_is_refused(with_server: Any, options: list[str], complaint: str) -> None:
    """What Celery would take without a word is checked first."""
    run = with_server.hysds("worker", "job", *options)

    assert run.returncode == 2
    assert complaint in run.stderr.decode()


def test_a_worker_that_falls_silent_is_offline_until_it_is_heard_of_again(with_server: Any) -> None:
    """Stopped with its jobs, it is told of within half a lease, once though two reconcilers look; it goes on, and is
    online again; ended in order, it has left."""
    with_server.environment |= {"HYSDS_LEDGER_LEASE": "6s", "HYSDS_LEDGER_RENEW_INTERVAL": "200ms"}
    worker = with_server.start_ready("worker", "job", "--name", "w1")
    for role in ("indexer", "reconciler", "reconciler"):
        with_server.start_ready(role)

    def until(status: str) -> list[dict[str, Any]]:
        """What was told of it, once the newest is this."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["status"] != status:
            told = with_server.hysds("events", "--type", "worker-o*", "--host", "celery@w1", "--json")
            found = [json.loads(line) for line in told.stdout.splitlines()][::-1]
        return found

    until("worker-online")
    worker.process.send_signal(signal.SIGSTOP)
    silent = until("worker-offline")[-1]["event"]
    worker.process.send_signal(signal.SIGCONT)
    until("worker-online")
    worker.process.send_signal(signal.SIGTERM)
    assert worker.end() == 0, worker.err

    told = [one["status"] for one in until("worker-offline")]
    assert told == ["worker-online", "worker-offline"] * (len(told) // 2)
    assert (silent["reason"], silent["silent_s"] >= 3) == ("silent", True)
    [now] = with_server.hysds("events", "--workers", "--json").stdout.splitlines()
    assert json.loads(now)["status"] == "worker-offline"
    assert json.loads(now)["event"]["reason"] == "left"
