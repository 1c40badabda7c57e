"""What other programs do with us: a real bash completes, a real plain Celery reads the rendered settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from services.required import program

_TRY = """
eval "$(hysds completion bash)"
compopt() { :; }
tried() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _hysds_completion hysds; echo "${COMPREPLY[*]}"; }
"""


def _completed(standing: Any, *lines: str) -> list[str]:
    """What each of these lines can be completed to, by one shell."""
    program("bash", "bash")
    run = standing.shell("\n".join([_TRY, *(f"tried {line}" for line in lines)]))
    assert (run.returncode, run.stderr) == (0, b"")
    return list(run.stdout.decode().splitlines())


def test_bash_completes_commands_and_the_names_of_a_system_that_answers(standing: Any) -> None:
    """By the script that we print, from the processes that run."""
    tried = (
        "hysds expl",
        "hysds worker drain ''",
        "hysds worker job --queues default,n",
        "hysds cancel --wa",
    )

    assert _completed(standing, *tried) == ["explain", "w1", "default,narrow", "--wait"]


def test_bash_completes_nothing_of_a_system_that_is_away(standing: Any) -> None:
    """Without a word, and at once."""
    run = standing.shell(f"export HYSDS_LEDGER_URL=redis://127.0.0.1:1/0{_TRY}\ntried hysds worker drain ''")

    assert (run.returncode, run.stdout, run.stderr) == (0, b"\n", b"")


def test_plain_celery_accepts_the_rendered_file(standing: Any, tmp_path: Path) -> None:
    """A worker and a client of Celery alone, which know nothing of HySDS, meet over the broker that it names."""
    rendered = standing.hysds("config", "render", str(tmp_path / "celeryconfig.py"))
    assert rendered.returncode == 0, rendered.stderr
    environment = {
        name: value for name, value in standing.environment.items() if not name.startswith("HYSDS_")
    }
    celery = [sys.executable, "-m", "celery", "--config", "celeryconfig"]
    plain = {"cwd": tmp_path, "env": environment, "stderr": subprocess.STDOUT, "stdout": subprocess.PIPE}
    worker = subprocess.Popen(
        [*celery, "worker", "-P", "solo", "-Q", "plain", "-n", "plain@here", "--loglevel", "INFO"], **plain
    )
    try:
        said = b""
        assert worker.stdout is not None
        while b"plain@here ready" not in said:
            line = worker.stdout.readline()
            assert line, said.decode()
            said += line
        pinged = subprocess.run([*celery, "inspect", "ping", "-d", "plain@here"], check=False, **plain)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=60)

    assert b"pong" in pinged.stdout, pinged.stdout.decode()


def test_hysds_reads_the_rendered_file_as_the_settings_that_it_was_made_of(
    standing: Any, tmp_path: Path
) -> None:
    """A worker that knows only that file joins the same system."""
    path = tmp_path / "celeryconfig.py"
    assert standing.hysds("config", "render", str(path)).returncode == 0
    environment = {
        name: value for name, value in standing.environment.items() if not name.startswith("HYSDS_")
    }
    kept = dict(standing.environment)
    standing.environment.clear()
    standing.environment.update(environment | {"HYSDS_CONFIG": str(path)})
    try:
        worker = standing.start_ready("worker", "job", "--queues", "rendered", "--name", "w2")
        spec = {
            "job_type": "job:x",
            "job_queue": "rendered",
            "payload": {"_command": "true", "n": os.getpid()},
        }
        run = standing.hysds("run", "-", stdin=json.dumps(spec).encode())
        worker.process.send_signal(signal.SIGTERM)
    finally:
        standing.environment.clear()
        standing.environment.update(kept)

    assert run.returncode == 0, run.stderr
    assert run.stdout.decode().strip().endswith("job-completed")
    assert worker.end() == 0
