"""`hysds chaos` as an operator runs it: a sound system keeps every guarantee, an unsound one is found out."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hysds
from hysds.chaos.checker import GUARANTEES
from services.process import own_directory

_DEFAULTS = {"HYSDS_LEDGER_URL": "redis://127.0.0.1:1/0", "HYSDS_WORKER_SLOTS": "7"}
"""Settings of a system in use, which a run must not touch: nothing listens there."""


@pytest.fixture
def directory() -> Iterator[Path]:
    """Where homes of runs are made."""
    made = own_directory("chaos")
    yield made
    shutil.rmtree(made)


def _chaos(directory: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hysds", "chaos", "--dir", str(directory), *arguments],
        env=os.environ | _DEFAULTS | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _report(directory: Path, *arguments: str, **variables: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a run and its report; what it said goes to the test's output."""
    with _chaos(directory, "--json", *arguments, **variables) as process:
        out, err = process.communicate()
    print(err)
    print(out)
    return process.returncode, json.loads(out)


def _has_home(process: int, directory: Path) -> bool:
    """Whether a process works below a directory."""
    try:
        return Path(os.readlink(f"/proc/{process}/cwd")).is_relative_to(directory)
    except OSError:
        return False


def _processes(directory: Path) -> list[int]:
    """Whoever works below a directory: everybody of a run does, but guardians of dead workers."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [pid for pid in pids if _has_home(pid, directory)]


def _kin(directory: Path) -> list[Path]:
    """Every living process that was started for a run below a directory, guardians too."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(directory).encode() in (entry / "environ").read_bytes():
                found.append(entry)
        except OSError:
            continue
    return found


def _stopped_guardians(directory: Path) -> list[Path]:
    def stands_still(entry: Path) -> bool:
        try:
            name, _, rest = (entry / "stat").read_text().partition("(")[2].partition(")")
        except OSError:
            return False
        return name == "guardian" and rest.split()[0] == "T"

    return [entry for entry in _kin(directory) if stands_still(entry)]


@pytest.mark.parametrize(("jobs", "faults"), [(150, 12), (500, 24)])
def test_a_tormented_system_keeps_every_guarantee(jobs: int, faults: int, directory: Path) -> None:
    """Kills and stops of every process, lost bells, drains, cancels; a new seed each time, printed with all that
    happened. Nothing is left of it.
    """
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")

    code, told = _report(directory, "--seed", str(seed), "--jobs", str(jobs), "--faults", str(faults))

    assert told["violations"] == []
    assert (code, told["kept"], told["seed"]) == (0, True, seed)
    assert sum(told["jobs"].values()) == jobs
    assert len(told["faults"]) > faults // 2
    assert told["checked"] == list(GUARANTEES)
    assert list(directory.iterdir()) == _processes(directory) == []


def test_a_system_with_a_rule_left_out_is_found_out(directory: Path, tmp_path: Path) -> None:
    """A copy of the package whose ledger forgets to write ended attempts down: the run fails, shows the shortest
    history, and keeps its files.
    """
    copy = tmp_path / "hysds"
    shutil.copytree(Path(hysds.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    claims = copy / "adapters/ledger/lua/shared/claims.lua"
    text = claims.read_text("utf-8")
    assert text.count("if how ~= '' then") == 1
    claims.write_text(text.replace("if how ~= '' then", "if false then"), "utf-8")

    arguments = ("--seed", "1", "--jobs", "20", "--faults", "0")
    code, told = _report(directory, *arguments, PYTHONPATH=str(tmp_path))

    assert (code, told["kept"]) == (1, False)
    broken = [one for one in told["violations"] if one["guarantee"] == "attempts are listed"]
    assert broken
    assert all("no attempt is listed for it" in one["says"] for one in broken)
    assert all(re.search(r"event (commit|expire):", line) for one in broken for line in one["shown"][1:])
    [home] = directory.iterdir()
    assert told["home"] == str(home)
    assert (home / "effects").is_dir()
    assert _processes(directory) == []


def test_jobs_that_do_not_end_in_time_are_violations(directory: Path) -> None:
    """A second is too short for a thousand: nothing is reported as kept that was not seen."""
    with _chaos(directory, "--seed", "3", "--jobs", "1000", "--faults", "0", "--within", "1") as process:
        out, _ = process.communicate()

    assert process.returncode == 1
    assert "ends once: job " in out
    assert re.search(r"the run is whole: \d+ of 1000 jobs were not submitted within 1 s", out)
    assert "verdict     BROKEN" in out.splitlines()[-1]


def test_an_interrupted_run_leaves_nothing(directory: Path) -> None:
    """No process, no file."""
    with _chaos(directory, "--seed", "3", "--jobs", "5000", "--faults", "0") as process:
        assert process.stderr is not None
        while "completed" not in process.stderr.readline():
            assert process.poll() is None

        process.send_signal(signal.SIGINT)
        process.communicate()

    assert process.returncode == 130
    assert list(directory.iterdir()) == _processes(directory) == []


def test_a_run_that_is_killed_leaves_nobody_stopped(directory: Path) -> None:
    """Killed while a guardian stands still by its fault: the guardian goes on, finds its worker dead, and ends."""
    with _chaos(directory, "--seed", "11", "--jobs", "400", "--faults", "80") as process:
        while not _stopped_guardians(directory):
            assert process.poll() is None, "this seed stops no guardian any more: take another"
            time.sleep(0.02)

        process.kill()
        process.communicate()

    while _kin(directory):
        time.sleep(0.05)


def test_the_same_seed_prints_the_same_plan_and_runs_nothing(directory: Path) -> None:
    """Which is what a run is repeated by."""
    plans = []
    for _ in range(2):
        with _chaos(directory, "--seed", "7", "--plan") as process:
            plans.append(process.communicate()[0])

    assert plans[0] == plans[1]
    assert json.loads(plans[0])["seed"] == 7
    assert list(directory.iterdir()) == []
