"""`hysds run` with a system of its own: what it leaves, what it never leaves, and what it says when it can't be."""

from __future__ import annotations

import json
import os
import select
import signal
from pathlib import Path
from typing import Any

import pytest

from services.process import own_directory

_PATIENCE_S = 60


def _file(command_line: Any, script: str, **fields: Any) -> str:
    path = command_line.directory / "job.json"
    spec = {"job_type": "job:own", "payload": {"_command": f"sh -c '{script}'"}}
    path.write_text(json.dumps(spec | fields))
    return str(path)


def test_what_a_run_leaves_can_be_asked_for_when_its_system_is_gone(command_line: Any) -> None:
    """Status, search and output of an ended job need no ledger: the store and the files of this host have them."""
    run = command_line.hysds("run", _file(command_line, "echo hello; echo oh >&2; exit 3"))
    job_id = run.stdout.decode().splitlines()[-1].split()[0]
    assert run.returncode == 1
    assert command_line.left_running() == []

    status = command_line.hysds("status", "--json", job_id)
    assert json.loads(status.stdout)["failure_class"] == "user"
    logs = command_line.hysds("logs", job_id)
    assert (logs.returncode, logs.stdout, logs.stderr) == (0, b"hello\n", b"oh\n")
    assert command_line.hysds("logs", "-f", job_id).returncode == 1
    listed = command_line.hysds("jobs", "--failure-class", "user", "--json")
    assert [json.loads(line)["id"] for line in listed.stdout.splitlines()] == [job_id]
    assert command_line.hysds("cancel", job_id).returncode == 4


def test_an_interrupted_run_leaves_nothing_running(command_line: Any) -> None:
    """Ctrl-C ends the job, then the system: 130, and no process of either is left."""
    run = command_line.start("run", _file(command_line, "echo begun; sleep 600"))
    run.await_text("begun\n", "out")
    run.process.send_signal(signal.SIGINT)

    assert run.end() == 130
    assert run.out.decode().splitlines()[-1].endswith(" job-revoked")
    assert command_line.left_running() == []


def test_a_killed_run_leaves_nothing_running(command_line: Any) -> None:
    """Even kill -9 of the command ends its system, and the job with it."""
    run = command_line.start("run", _file(command_line, "echo begun; sleep 600"))
    run.await_text("begun\n", "out")
    watched = [os.pidfd_open(pid) for pid in command_line.left_running()]
    run.process.kill()
    run.end()

    for pidfd in watched:
        _await_end(pidfd)
    assert command_line.left_running() == []


def test_a_second_run_in_the_same_home_is_refused(command_line: Any) -> None:
    """One system a home: the other command is told who has it, and disturbs nothing."""
    gate = command_line.directory / "gate"
    first = command_line.start(
        "run", _file(command_line, f"echo begun; until [ -e {gate} ]; do sleep 0.05; done")
    )
    first.await_text("begun\n", "out")
    second = command_line.hysds("run", _file(command_line, "echo second"))
    gate.touch()

    assert second.returncode == 2
    assert str(first.process.pid) in second.stderr.decode()
    assert b"set HYSDS_HOME" in second.stderr
    assert first.end() == 0


def test_the_end_of_its_server_ends_a_run_with_the_reason(command_line: Any) -> None:
    """Without a ledger there is nothing to wait for: the last words of the server are shown, and nothing is left."""
    run = command_line.start("run", _file(command_line, "echo begun; sleep 600"))
    run.await_text("begun\n", "out")
    server = next(
        pid for pid in command_line.left_running() if b"valkey-server" in _command(pid).split(b"\0")[0]
    )
    os.kill(server, signal.SIGKILL)

    assert run.end() == 4
    assert b"valkey was ended by SIGKILL" in run.err
    assert b"Traceback" not in run.err
    assert command_line.left_running() == []


def test_a_home_that_can_not_be_one_is_refused_before_anything_starts(command_line: Any) -> None:
    """A path too long for a socket, and one that can't be made: a sentence each."""
    long = own_directory("x" * 100)
    try:
        for home, reason in (
            (long / ("y" * 20), b"take a shorter home"),
            (Path("/proc/h"), b"set HYSDS_HOME to another directory"),
        ):
            command_line.environment["HYSDS_HOME"] = str(home)
            run = command_line.hysds("run", _file(command_line, "echo never"))
            assert run.returncode == 2, run.stderr
            assert reason in run.stderr
            assert b"Traceback" not in run.stderr
            assert b"never" not in run.stdout
    finally:
        long.rmdir()


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _await_end(pidfd: int) -> None:
    """Until a process that is not ours has ended."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(_PATIENCE_S * 1000), "a process is still there"
    os.close(pidfd)


def test_a_run_that_could_not_write_its_jobs_files_says_so_first(command_line: Any) -> None:
    """One block that names the directory, the setting and what became of the job; nothing is started."""
    command_line.environment["HYSDS_WORKER_WORK_DIR"] = "/dev/null/work"
    run = command_line.hysds("run", "examples/01-word-count/job.json")

    assert run.returncode == 2
    for said in (b"/dev/null/work", b"HYSDS_WORKER_WORK_DIR", b"the job was not submitted"):
        assert said in run.stderr
    assert b"Traceback" not in run.stderr
    assert not command_line.home.exists()


@pytest.mark.parametrize("full", [">/dev/full", ">/dev/full 2>&1"])
def test_a_full_disk_is_one_line_and_an_exit_code(command_line: Any, full: str) -> None:
    """Not a traceback, of ours or of Python's at its exit."""
    run = command_line.shell(f"hysds config show --json {full}; echo $?; hysds config show {full}; echo $?")

    assert run.stdout == b"1\n1\n"
    assert b"Traceback" not in run.stderr
    assert b"Exception" not in run.stderr


def test_a_run_says_that_older_jobs_of_its_home_may_run_too(command_line: Any) -> None:
    """Jobs that were left when the system before ended belong to the home, not to the run."""
    first = command_line.start("run", _file(command_line, "echo begun; sleep 600"))
    first.await_text("begun\n", "out")
    older = command_line.hysds("submit", _file(command_line, "exit 0", job_queue="other"))
    first.process.send_signal(signal.SIGINT)
    assert (first.end(), older.returncode) == (130, 0)
    second = command_line.hysds("run", _file(command_line, "exit 0", job_queue="other", tag="later"))

    assert b"older jobs" not in first.err
    assert (
        f"note: older jobs of {command_line.home} are ready, and may run too: 1\n".encode() in second.stderr
    )


@pytest.mark.parametrize("command", [["submit", "-"], ["worker", "job"], ["indexer"]])
def test_what_needs_a_system_says_that_none_runs(command_line: Any, command: list[str]) -> None:
    """After the first `hysds run` nobody knows yet that its system ended with it: what to do is said."""
    asked = command_line.hysds(*command, stdin=b'{"job_type": "job:x", "payload": {"_command": "true"}}')

    assert asked.returncode == 4
    for said in (b"no system is running under", b"`hysds run`", b"`hysds up`", b"HYSDS_LEDGER_URL"):
        assert said in asked.stderr


def test_a_run_of_a_type_goes_where_the_type_says_and_runs_its_command(command_line: Any) -> None:
    """The system of its own hears the queue of the type that this host's files name."""
    types = command_line.directory / "types.json"
    entry = {
        "type": "say",
        "command": {"path": "echo", "options": ["-n"], "arguments": ["$words"]},
        "queues": ["speech"],
    }
    types.write_text(json.dumps({"configs": [entry]}))
    command_line.environment["HYSDS_CATALOG_PATHS"] = str(types)
    spec = command_line.directory / "job.json"
    spec.write_text(json.dumps({"job_type": "job:say", "payload": {"words": ["two words", "$HOME"]}}))

    run = command_line.hysds("run", str(spec))

    assert run.returncode == 0
    assert b"two words $HOME" in run.stdout
    assert b"in queue speech" in run.stderr

    types.write_text("{")
    assert command_line.hysds("run", str(spec)).returncode == 2
