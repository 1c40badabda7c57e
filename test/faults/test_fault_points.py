"""Fault points: found by their names, silent until armed, struck once."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
from operator import attrgetter
from pathlib import Path

import pytest

from worlds.faults import client, steps
from worlds.faults.inside import moments
from worlds.faults.inside.strike import Arms

_TEST = Path(__file__).parents[1]


@pytest.mark.parametrize("name", moments.MOMENTS)
def test_a_moment_names_a_function_of_the_package(name: str) -> None:
    """Nobody can rename it without this test; and should the call go another way, its cells fail, for nobody comes."""
    moment = moments.MOMENTS[name]
    module = importlib.import_module(moment.module.replace("guard.", "hysds.lib.process.guard."))

    assert callable(attrgetter(moment.function)(module))


def test_each_moment_is_a_column_and_each_column_a_moment() -> None:
    """A moment that no cell uses would be a fault that nobody tries."""
    assert {step.name for step in steps.STEPS} == {*moments.MOMENTS, *client.MOMENTS}


def test_a_moment_that_is_not_armed_is_not_looked_at(tmp_path: Path) -> None:
    """What the call was about is only asked for a strike."""
    asked: list[str] = []

    Arms(str(tmp_path)).reached("commit sent", lambda: asked.append("asked") or "")

    assert asked == []


def test_a_moment_of_another_job_strikes_nobody(tmp_path: Path) -> None:
    """It stays armed for its own."""
    arms = Arms(str(tmp_path))
    arms.arm("commit sent", "this", "worker")

    arms.reached("commit sent", lambda: "that")

    assert arms.told("commit sent") is None
    arms.reached("commit sent", lambda: "this")
    assert arms.told("commit sent") is not None


def test_of_many_that_come_to_a_moment_at_once_one_strikes(tmp_path: Path) -> None:
    """Each of the others goes its way; the victim is killed and nobody else."""
    arms = Arms(str(tmp_path))
    with subprocess.Popen(["sleep", "60"]) as victim:
        arms.note("indexer", victim.pid)
        arms.arm("event read", "job", "indexer")
        threads = [
            threading.Thread(target=arms.reached, args=("event read", lambda: "job")) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert victim.wait(30) == -signal.SIGKILL
    told = arms.told("event read") or {}
    assert (told["victim"], told["pid"]) == ("indexer", victim.pid)


def test_what_a_moment_looks_at_and_does_not_find_is_told(tmp_path: Path) -> None:
    """An attribute that was renamed fails the cell, with its name, instead of the process that came by."""
    arms = Arms(str(tmp_path))
    arms.arm("commit sent", "job", "worker")

    arms.reached("commit sent", lambda: str(None.id))  # type: ignore[attr-defined]

    assert "'id'" in (arms.told("commit sent") or {})["error"]


def test_a_process_that_kills_itself_does_nothing_more(tmp_path: Path) -> None:
    """No exception, no exit handler, no line of a buffer: it is gone in the call."""
    arms = Arms(str(tmp_path))
    arms.arm("findings read", "job", "indexer")
    code = (
        "import atexit, os, sys; from pathlib import Path; from worlds.faults.inside.strike import Arms\n"
        f"arms = Arms({str(tmp_path)!r}); arms.note('indexer', os.getpid())\n"
        "atexit.register(print, 'exit handler')\n"
        "try: arms.reached('findings read', lambda: 'job')\n"
        "finally: print('finally')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(_TEST)},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, b"", b"")


def test_a_wrapped_function_answers_raises_and_shows_itself_as_before(tmp_path: Path) -> None:
    """Whoever calls it can't tell, save by its one look for a file."""
    code = (
        "import inspect, json; from worlds.faults.inside import moments; moments.install('/nowhere')\n"
        "from pathlib import Path; from hysds.job_worker import findings; from hysds.leasing import workdir\n"
        "place = workdir.WorkDir(Path('/nowhere/a'), Path('/nowhere/b'))\n"
        "try: workdir.create(workdir.WorkDir(Path('/proc/a'), Path('/proc/b')))\n"
        "except OSError as error: raised = error.errno\n"
        "print(json.dumps([findings.collect.__name__, findings.collect.__doc__ is not None,\n"
        "  list(inspect.signature(findings.collect).parameters), len(findings.collect(place).notes), raised]))\n"
    )
    path = os.pathsep.join([str(_TEST), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=False
    )

    assert done.stdout == b'["collect", true, ["workdir"], 1, 2]\n', done.stderr
