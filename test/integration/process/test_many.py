"""Many commands, one after the other and side by side."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from hysds.lib.process.ending import Reason
from hysds.lib.process.guard.tree import children
from integration.process.guarded import Place, ended


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_hundreds_of_commands_leak_no_descriptor_and_no_process(place: Place) -> None:
    """Neither in the worker nor in the guardian; those that could not start count too."""
    place.run(["true"])
    before = _descriptors(os.getpid()), _descriptors(place.guardian.pid)
    codes = [place.run(["sh", "-c", f"sleep 1000 & exit {number % 250}"]).exit_code for number in range(300)]
    missing = [place.run(["no-such-program"]).reason for _ in range(50)]
    last = place.start(["true"])
    ended(last)
    place.run(["true"])

    assert [number % 250 for number in range(300)] == codes
    assert {Reason.COULD_NOT_START} == set(missing)
    assert before[0] == _descriptors(os.getpid())
    assert _descriptors(place.guardian.pid) <= before[1] + 1
    assert len(children(place.guardian.pid)) <= 1


def test_commands_in_parallel_end_each_with_its_own_code(place: Place) -> None:
    """Eight threads, forty commands each: no ending goes astray."""

    def run(number: int) -> int | None:
        return place.run(["sh", "-c", f"exit {number % 251}"]).exit_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(run, range(320)))

    assert [number % 251 for number in range(320)] == codes


def test_the_end_of_one_command_does_not_wait_for_another(place: Place) -> None:
    """Seven sleepers, and commands come and go beside them."""
    sleepers = [place.start(["sleep", "1000"]) for _ in range(7)]
    codes = [place.run(["sh", "-c", "exit 8"]).exit_code for _ in range(10)]
    still = [sleeper.wait(0) for sleeper in sleepers]
    for sleeper in sleepers:
        sleeper.stop(50, "done")

    assert (codes, still) == ([8] * 10, [None] * 7)
    assert {Reason.STOPPED} == {ended(sleeper).reason for sleeper in sleepers}


def test_threads_may_wait_for_and_stop_the_same_command(place: Place) -> None:
    """All get the same ending."""
    child = place.start(["sleep", "1000"])
    with ThreadPoolExecutor(4) as pool:
        waits = [pool.submit(child.wait, 60) for _ in range(3)]
        pool.submit(child.stop, 50, "one of them")
        endings = [wait.result() for wait in waits]

    assert endings[0] is not None
    assert endings[0].reason is Reason.STOPPED
    assert all(ending is endings[0] for ending in endings)
