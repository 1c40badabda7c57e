"""Processes of commands whose guardian and keeper were killed together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.lib.process import leftovers
from hysds.lib.process.child import Child
from hysds.lib.process.guard import tree
from hysds.lib.process.guardian import Guardian, Watchfulness
from hysds.lib.process.leftovers import Marks
from integration.process.guarded import Pipe, Place, has_died

MARK = {"HYSDS_TEST_MARK": f"of {os.getpid()}"}
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        script = "echo $$ > pid.part; mv pid.part daemon; exec sleep 1000"
        os.execve("/bin/sh", ["sh", "-c", script], {"PATH": os.defpath})
    os._exit(0)
os.wait()
time.sleep(1000)
"""


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Place]:
    """A guardian of which a test leaves nothing but its commands' processes; these end with the test."""
    guardian = Guardian.start(Watchfulness(marks=MARK))
    yield Place(guardian, tmp_path)
    guardian.close()
    assert leftovers.end(Marks(MARK), 30)


def kill_both(guardian: Guardian) -> None:
    """Neither gets to act on the other's death: both stand still before."""
    [keeper] = tree.children(guardian.pid)
    os.kill(guardian.pid, signal.SIGSTOP)
    os.kill(keeper, signal.SIGSTOP)
    os.kill(keeper, signal.SIGKILL)
    os.kill(guardian.pid, signal.SIGKILL)
    assert has_died(keeper)
    assert has_died(guardian.pid)


def test_all_of_a_command_is_found_and_killed_when_nobody_guards_it_any_more(bare: Place, pipe: Pipe) -> None:
    """Its children in sessions of their own, and those that cleared their environment: the pipe that all of them hold
    open comes to its end.
    """
    stubborn = "trap '' TERM; echo child; while :; do sleep 1000; done"
    script = f'setsid sh -c "{stubborn}" & env -i setsid sh -c "{stubborn}" & echo command; wait'
    child = bare.start(["sh", "-c", script], out=pipe, env=MARK)
    assert sorted(pipe.read_line() for _ in range(3)) == [b"child", b"child", b"command"]
    kill_both(bare.guardian)
    assert child.pid in leftovers.find(Marks(MARK))

    assert leftovers.end(Marks(MARK), 30)

    assert pipe.read_to_end() == b""
    assert leftovers.find(Marks(MARK)) == frozenset()
    child.close()


def test_a_daemon_without_environment_and_parents_is_found_by_the_output_that_it_holds(bare: Place) -> None:
    """It left its session too; who only reads the output is nobody's leftover."""
    child: Child = bare.start([sys.executable, "-c", DAEMON], env=MARK)
    daemon_file = bare.folder / "daemon"
    with subprocess.Popen(["tail", "-f", bare.stdout], stdout=subprocess.DEVNULL) as reader:
        try:
            while not daemon_file.exists():
                assert child.wait(0.02) is None
            daemon = int(daemon_file.read_text())
            kill_both(bare.guardian)
            assert daemon not in leftovers.find(Marks(MARK))
            marks = Marks(MARK, (bare.stdout, bare.stderr))
            assert daemon in leftovers.find(marks)

            assert leftovers.end(marks, 30)

            assert has_died(daemon)
            assert reader.poll() is None
        finally:
            reader.kill()
    child.close()


def test_a_guardian_that_stands_still_is_found_with_all_below_it(bare: Place, pipe: Pipe) -> None:
    """It carries its worker's mark, and so do its keepers."""
    child = bare.start(["sh", "-c", "echo command; exec sleep 1000"], out=pipe)
    assert pipe.read_line() == b"command"
    os.kill(bare.guardian.pid, signal.SIGSTOP)

    assert leftovers.end(Marks(MARK), 30)

    assert has_died(bare.guardian.pid)
    assert pipe.read_to_end() == b""
    child.close()


def test_what_a_guardian_of_this_process_has_below_it_is_found(bare: Place, pipe: Pipe) -> None:
    """One that was just killed is still the parent of its commands, for a moment; they were taken for this process's
    own, and lived on.
    """
    child = bare.start(["sh", "-c", "echo command; exec sleep 1000"], out=pipe, env=MARK)
    assert pipe.read_line() == b"command"

    assert {child.pid, bare.guardian.pid} <= leftovers.find(Marks(MARK))
    child.close()


def test_what_carries_another_mark_is_left_alone(bare: Place) -> None:
    """Another worker's jobs on the same host."""
    with subprocess.Popen(["sleep", "1000"], env={**MARK, "HYSDS_TEST_MARK": "another"}) as other:
        try:
            assert leftovers.end(Marks(MARK), 30)
            assert other.poll() is None
        finally:
            other.kill()


def test_whoever_looks_never_finds_itself(bare: Place) -> None:
    """A worker that a job started may look after that job's worker: it, its ancestors and what it started stay."""
    code = (
        "import os, subprocess, sys\n"
        "from hysds.lib.process import leftovers\n"
        "child = subprocess.Popen(['sleep', '1000'])\n"
        f"print(leftovers.end(leftovers.Marks({MARK!r}), 30), child.poll())\n"
        "child.kill(), child.wait()\n"
    )
    script = f'{sys.executable} -c "$CODE"; echo alive'
    found = subprocess.run(
        ["sh", "-c", script],
        env=os.environ | MARK | {"CODE": code},
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.splitlines() == ["True None", "alive"]


def test_a_guardian_that_was_stopped_goes_on_with_the_next_beat(place: Place, pipe: Pipe) -> None:
    """No command could be started, and none stopped, while it stands still."""
    os.kill(place.guardian.pid, signal.SIGSTOP)

    place.guardian.beat()

    child = place.start(["sh", "-c", "echo ran"], out=pipe)
    assert pipe.read_line() == b"ran"
    child.close()
