"""Commands that do what commands should not: each job ends once, with its class and reason, and nothing is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from worlds.job_worker import Bench


def test_a_command_that_does_not_exist_says_so(bench: Bench) -> None:
    """And is not tried again."""
    found = bench.run("no-such-program --x")

    assert (found["status"], found["failure_class"]) == ("job-failed", "environment")
    assert found["error"].startswith("no-such-program: no such program")
    assert not (bench.directory(found) / "_exit_code").exists()


def test_a_file_that_is_no_program_says_so(bench: Bench, tmp_path: Path) -> None:
    """Found, but not executable."""
    (tmp_path / "data").write_text("x")

    assert "not executable" in bench.run(str(tmp_path / "data"))["error"]


def test_reading_standard_input_finds_its_end(bench: Bench) -> None:
    """The original left an open pipe there, and such a job hung (W-28)."""
    found = bench.run("sh -c 'cat; echo done'")

    assert found["status"] == "job-completed"
    assert (bench.directory(found) / "_stdout.txt").read_bytes() == b"done\n"


def test_output_that_is_no_text_is_kept_byte_for_byte(bench: Bench) -> None:
    """The original's reader died on it, and the job with it (W-27)."""
    found = bench.python("import sys; sys.stdout.buffer.write(bytes(range(256)) * 4096)")

    assert found["status"] == "job-completed"
    assert (bench.directory(found) / "_stdout.txt").read_bytes() == bytes(range(256)) * 4096
    chunks = bench.logs.read(found["id"], found["fence"], "", 1000, 0).chunks
    assert b"".join(chunk.data for chunk in chunks) == bytes(range(256)) * 4096


def test_a_million_lines_arrive_whole(bench: Bench) -> None:
    """Straight to the file; the live log keeps the newest."""
    found = bench.python("for n in range(10**6): print(n)")

    assert found["status"] == "job-completed"
    lines = (bench.directory(found) / "_stdout.txt").read_bytes().splitlines()
    assert (len(lines), lines[-1]) == (10**6, b"999999")


def test_a_line_without_an_end_takes_no_memory(bench: Bench) -> None:
    """A gigabyte of zeros, as a hole in the file, so that the disk need not hold it."""
    found = bench.python("import os; os.truncate(1, 1 << 30); os.lseek(1, 0, 2); os.write(1, b'end')")

    assert found["status"] == "job-completed"
    path = bench.directory(found) / "_stdout.txt"
    assert path.stat().st_size == (1 << 30) + 3
    os.truncate(path, 0)


def test_a_daemon_does_not_outlive_its_job(bench: Bench) -> None:
    """Two forks and a session of its own do not help it."""
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open('pid', 'w').write(str(os.getpid()))\n"
        "        os.rename('pid', 'daemon'); time.sleep(600)\n"
        "    os._exit(0)\n"
        "while not os.path.exists('daemon'): time.sleep(0.005)\n"
    )
    found = bench.python(code)

    assert found["status"] == "job-completed"
    pid = int((bench.directory(found) / "daemon").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ignoring_sigterm_ends_at_the_hard_limit(bench: Bench) -> None:
    """Asked at the soft limit, ended at the hard one."""
    found = bench.run(
        """sh -c 'trap "" TERM; while :; do sleep 1; done'""", soft_time_limit=0.2, time_limit=0.6
    )

    assert (found["status"], found["failure_class"]) == ("job-failed", "timeout")
    assert "hard time limit" in found["error"]


def test_a_deadline_ends_a_running_job_before_its_limits(bench: Bench) -> None:
    """The earlier of hard limit and deadline holds, and the error says which it was; it is not tried again."""
    found = bench.run("sleep 600", time_limit=500, deadline=0.6, retry={"timeout": {"attempts": 3}})

    assert (found["status"], found["failure_class"]) == ("job-failed", "timeout")
    assert found["error"].startswith("ran into its deadline after")
    assert len(found["attempts"]) == 1


def test_a_job_whose_deadline_came_before_its_start_is_not_started(bench: Bench, tmp_path: Path) -> None:
    """Whoever claims it between the deadline and the reconciler's round."""
    found = bench.run(f"touch {tmp_path}/ran", deadline="2001-01-01T00:00:00Z")

    assert (found["status"], found["failure_class"]) == ("job-failed", "timeout")
    assert not (tmp_path / "ran").exists()


def test_a_command_that_cleans_up_at_the_soft_limit_has_still_overrun(bench: Bench) -> None:
    """Its results are there, its exit code too, and the class says why it ended."""
    code = (
        "import signal, sys, time\n"
        "def end(*_): open('result', 'w').write('half'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "while True: time.sleep(0.01)\n"
    )
    found = bench.python(code, soft_time_limit=1, time_limit=60)

    assert (found["failure_class"], found["job"]["job_info"]["status"]) == ("timeout", 0)
    assert (bench.directory(found) / "result").read_text() == "half"


def test_a_thousand_children_are_gone_with_their_parent(bench: Bench) -> None:
    """However many it forks."""
    code = (
        "import os, time\n"
        "pids = []\n"
        "for _ in range(1000):\n"
        "    pid = os.fork()\n"
        "    if pid == 0: time.sleep(600); os._exit(0)\n"
        "    pids.append(pid)\n"
        "open('pids', 'w').write(' '.join(map(str, pids)))\n"
    )
    found = bench.python(code)

    assert found["status"] == "job-completed"
    pids = [int(pid) for pid in (bench.directory(found) / "pids").read_text().split()]
    assert len(pids) == 1000
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_the_end_by_a_signal_is_told(bench: Bench) -> None:
    """`_exit_code` is negative, the document has the signal's number."""
    found = bench.run("sh -c 'kill -SEGV $$'")

    assert (found["failure_class"], found["signum"]) == ("user", int(signal.SIGSEGV))
    assert (bench.directory(found) / "_exit_code").read_text() == "-11\n"


def test_killing_its_parent_ends_the_job_and_nothing_else(bench: Bench) -> None:
    """The guardian cleans up after the keeper, and the worker goes on."""
    found = bench.run("sh -c 'kill -9 $PPID; sleep 600'")
    assert (found["status"], found["failure_class"]) == ("job-failed", "user")
    assert "guards the command was killed" in found["error"]

    assert bench.run("true")["status"] == "job-completed"


def test_too_much_memory_ends_as_oom(bench: Bench) -> None:
    """The tree's memory is what counts."""
    found = bench.python(
        "x = b'x' * (400 << 20); import time; time.sleep(600)", resources={"memory": "100 MiB"}
    )

    assert (found["status"], found["failure_class"]) == ("job-failed", "oom")


def test_deleting_and_breaking_our_files_changes_nothing_but_a_note(bench: Bench) -> None:
    """The original became a zombie over a broken context (W-5)."""
    found = bench.run(
        "sh -c 'rm -f _job.json _run.sh _stdout.txt _pid .running; echo {nonsense > _context.json'"
    )

    assert found["status"] == "job-completed"
    assert any("_context.json is no JSON" in note for note in bench.notes(found))
    assert (bench.directory(found) / "_exit_code").read_text() == "0\n"
    assert (bench.directory(found) / ".done").exists()


def test_deleting_its_whole_directory_does_not_lose_the_job(bench: Bench) -> None:
    """It ended well; that its end can't be marked there is a note."""
    found = bench.run("""sh -c 'rm -rf "$HYSDS_JOB_DIR"'""")

    assert found["status"] == "job-completed"
    assert any("could not be marked" in note for note in bench.notes(found))


def test_progress_shows_in_the_log(bench: Bench) -> None:
    """A fraction and a message, one line each, into the file that HYSDS_PROGRESS names."""
    found = bench.run("""sh -c 'echo "0.5 half way" >> "$HYSDS_PROGRESS"'""")

    chunks = bench.logs.read(found["id"], found["fence"], "", 10, 0).chunks
    assert [chunk.data for chunk in chunks if chunk.stream == "note"] == [b"progress: 0.5 half way\n"]


def test_the_environment_is_what_was_declared(bench: Bench) -> None:
    """Nothing of the worker's own: it may hold passwords."""
    os.environ["HYSDS_TEST_SECRET"] = "s3cret"
    try:
        found = bench.run("env", env={"MINE": "yes"})
    finally:
        del os.environ["HYSDS_TEST_SECRET"]

    output = (bench.directory(found) / "_stdout.txt").read_text()
    names = {line.partition("=")[0] for line in output.splitlines()}
    assert names - {"PWD", "_", "SHLVL"} == {
        "HOME",
        "LANG",
        "PATH",
        "MINE",
        "HYSDS_JOB_ID",
        "HYSDS_JOB_FENCE",
        "HYSDS_JOB_DIR",
        "HYSDS_JOB_WORKER",
        "HYSDS_PROGRESS",
    }
