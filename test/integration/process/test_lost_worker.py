"""What becomes of commands whose worker is killed, stopped, silent or cut off. The worker is a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hysds
from hysds.lib.process.ending import Reason
from hysds.lib.process.guard.wire import boot_s
from hysds.lib.process.guardian import Guardian, GuardianGone, Watchfulness
from integration.process.guarded import Pipe, Place, ended, has_died

WORKER = """
import os, signal, sys, threading
from pathlib import Path
from hysds.lib.process.command import Command
from hysds.lib.process.guardian import Guardian, Watchfulness

folder, pipe, limit_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
tell = ["/bin/sh", "-c", "echo gone > told.part; cat /proc/" + "$(cat job)" + "/stat >> told.part; mv told.part told"]
guardian = Guardian.start(Watchfulness(limit_s or None, on_gone=tell, on_gone_env={"PATH": "/usr/bin:/bin"}))
script = "trap '' TERM; setsid sh -c 'trap \\"\\" TERM; echo child; while :; do sleep 1000; done' & echo job; wait"
jobs = [guardian.spawn(Command(["sh", "-c", script], folder, pipe, folder / "err", {"PATH": "/usr/bin:/bin"}))
        for _ in range(2)]
os.close(pipe)
(folder / "job").write_text(str(jobs[0].pid))
if sys.argv[4] and (twin := os.fork()) == 0:
    signal.pause()
print(guardian.pid, twin if sys.argv[4] else 0, flush=True)
stop = threading.Event()
while not stop.wait(0.02):
    guardian.beat()
"""


class Worker:
    """A worker with two stubborn commands, whose guardian writes the file `told` as its last act."""

    def __init__(self, folder: Path, pipe: Pipe, limit_s: float, twin: bool) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(pipe.write_fd), str(limit_s), "twin" * twin],
            pass_fds=[pipe.write_fd],
            stdout=subprocess.PIPE,
            cwd=folder,
            env={"PYTHONPATH": str(Path(hysds.__file__).parent.parent)},
        )
        assert self._process.stdout is not None
        self.guardian_pid, self._twin_pid = map(int, self._process.stdout.readline().split())
        assert {b"job", b"child"} == {pipe.read_line() for _ in range(4)}

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._twin_pid:
            os.kill(self._twin_pid, signal.SIGKILL)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def limit_s() -> float:
    return 0.0


@pytest.fixture
def twin() -> bool:
    """Whether the worker forks a copy of itself that outlives it."""
    return False


@pytest.fixture
def worker(tmp_path: Path, pipe: Pipe, limit_s: float, twin: bool) -> Iterator[Worker]:
    made = Worker(tmp_path, pipe, limit_s, twin)
    yield made
    made.close()
    assert has_died(made.guardian_pid)


def test_a_killed_worker_leaves_nothing_and_the_ledger_is_told_last(worker: Worker, pipe: Pipe) -> None:
    """Commands and their children in other sessions are gone before `on_gone` runs; then the guardian exits."""
    worker.send(signal.SIGKILL)

    assert pipe.read_to_end() == b""
    assert has_died(worker.guardian_pid)
    assert (worker.folder / "told").read_text() == "gone\n"


@pytest.mark.parametrize("twin", [True])
def test_a_copy_of_the_worker_does_not_keep_its_commands_alive(worker: Worker, pipe: Pipe) -> None:
    """A fork without exec holds the worker's sockets open; its death is seen all the same."""
    worker.send(signal.SIGKILL)

    assert pipe.read_to_end() == b""
    assert has_died(worker.guardian_pid)
    assert (worker.folder / "told").read_text() == "gone\n"


@pytest.mark.parametrize("limit_s", [0.5])
def test_a_stopped_worker_loses_its_commands_after_the_silence_limit(worker: Worker, pipe: Pipe) -> None:
    """Its lease has run out: the commands end, the ledger is told, and the guardian is gone when the worker wakes."""
    worker.send(signal.SIGSTOP)

    assert pipe.read_to_end() == b""
    assert has_died(worker.guardian_pid)
    assert (worker.folder / "told").read_text() == "gone\n"


@pytest.mark.parametrize("watchfulness", [Watchfulness(silence_limit_s=2.0)])
def test_a_worker_that_beats_is_left_alone(place: Place) -> None:
    """A command outlives the silence limit that its worker would have met without a beat."""
    child = place.start(["sleep", "3"])
    while (ending := child.wait(0.02)) is None:
        place.guardian.beat()

    assert (ending.reason, ending.exit_code) == (Reason.EXITED, 0)


@pytest.mark.parametrize("watchfulness", [Watchfulness(silence_limit_s=0.5)])
def test_a_silent_worker_is_told_why_its_command_ended(place: Place, pipe: Pipe) -> None:
    """A worker that hangs finds the ending when it comes back, and can't start another command."""
    child = place.start(["sh", "-c", "trap '' TERM; while :; do sleep 1000; done"], out=pipe)
    ending = ended(child)

    assert (ending.reason, ending.signal) == (Reason.SILENT, signal.SIGKILL)
    assert has_died(place.guardian.pid)
    with pytest.raises(GuardianGone):
        place.start(["true"])


@pytest.mark.parametrize("watchfulness", [Watchfulness(isolation_limit_s=0.3)])
def test_an_isolated_worker_loses_its_commands_and_keeps_its_guardian(place: Place, pipe: Pipe) -> None:
    """The limit counts from when the ledger was last reached; connected again, commands run again."""
    child = place.start(["sh", "-c", "trap '' TERM; while :; do sleep 1000; done"], out=pipe)
    place.guardian.isolated(boot_s() - 0.2)
    ending = ended(child)
    place.guardian.connected()

    assert (ending.reason, ending.signal) == (Reason.ISOLATED, signal.SIGKILL)
    assert place.run(["true"]).exit_code == 0


@pytest.mark.parametrize("watchfulness", [Watchfulness(isolation_limit_s=1000)])
def test_a_worker_that_is_isolated_for_less_than_its_limit_keeps_its_commands(place: Place) -> None:
    """An outage shorter than the limit costs nothing."""
    place.guardian.isolated()
    ending = place.run(["sh", "-c", "exit 2"])

    assert (ending.reason, ending.exit_code) == (Reason.EXITED, 2)


def test_a_clean_close_raises_no_alarm(tmp_path: Path) -> None:
    """A worker that says goodbye has told the ledger itself."""
    guardian = Guardian.start(Watchfulness(on_gone=["/bin/sh", "-c", f"echo gone > {tmp_path}/told"]))
    guardian.close()

    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize("alarm", ["sleep 1000", "trap '' TERM; setsid sleep 1000 & sleep 1000"])
def test_an_alarm_that_hangs_is_ended(tmp_path: Path, pipe: Pipe, alarm: str) -> None:
    """The guardian exits all the same, and leaves nothing of it."""
    watchfulness = Watchfulness(
        silence_limit_s=0.05,
        on_gone=["/bin/sh", "-c", f"(echo up; {alarm}) > {tmp_path}/fifo"],
        on_gone_env={"PATH": os.defpath},
        on_gone_limit_s=0.3,
    )
    os.mkfifo(tmp_path / "fifo")
    guardian = Guardian.start(watchfulness)
    said = (tmp_path / "fifo").read_bytes()
    assert has_died(guardian.pid)
    guardian.close()

    assert said == b"up\n"


def test_an_alarm_that_cannot_be_run_does_not_keep_the_guardian(tmp_path: Path) -> None:
    """It says so on standard error, and exits."""
    guardian = Guardian.start(Watchfulness(silence_limit_s=0.05, on_gone=[f"{tmp_path}/absent"]))

    assert has_died(guardian.pid)
    guardian.close()
