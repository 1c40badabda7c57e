"""Time and memory limits of guarded commands."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.lib.process.command import Command, Limits
from hysds.lib.process.ending import Reason, boot_s
from hysds.lib.process.guard.cgroup import hierarchies
from hysds.lib.process.guardian import Guardian, Watchfulness
from integration.process.guarded import Pipe, Place, ended

STUBBORN = (
    "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 1000; done' & while :; do sleep 1000; done"
)
MB = 1 << 20

HOG = """
import os, signal
held = []
for _ in range(int(os.environ["PIECES"])):
    held.append(b"x" * (16 << 20))
os.write(1, b"held\\n")
signal.pause() if os.environ.get("STAY") else None
"""

ways_to_know = pytest.mark.parametrize(
    "watchfulness", [Watchfulness(), Watchfulness(cgroups=False)], ids=["as-the-host-allows", "added-up"]
)


def test_a_command_whose_time_to_start_has_passed_is_not_started(place: Place, tmp_path: Path) -> None:
    """The order may have lain there while its guardian stood still: by now another host may do the same."""
    mark = tmp_path / "began"
    out = tmp_path / "out"
    late = Command(["touch", str(mark)], tmp_path, out, out, {"PATH": os.defpath}, start_by_s=boot_s() - 1)

    ending = ended(place.guardian.spawn(late))

    assert (ending.reason, ending.started) == (Reason.TOO_LATE, None)
    assert not mark.exists()


def test_a_command_may_clean_up_after_its_soft_limit(place: Place, pipe: Pipe) -> None:
    """It gets SIGTERM, and its exit code is kept beside the reason."""
    script = "trap 'echo clean; exit 6' TERM; while :; do :; done"
    ending = ended(place.start(["sh", "-c", script], Limits(soft_s=0.3, hard_s=1000), out=pipe))

    assert (ending.reason, ending.exit_code, ending.signal) == (Reason.SOFT_LIMIT, 6, None)
    assert pipe.rest() == b"clean\n"


def test_a_command_that_ignores_its_soft_limit_is_killed_at_the_hard_one(place: Place, pipe: Pipe) -> None:
    """The hard limit is what ended it, children in other sessions too."""
    ending = ended(place.start(["sh", "-c", STUBBORN], Limits(soft_s=0.1, hard_s=0.3), out=pipe))

    assert (ending.reason, ending.signal) == (Reason.HARD_LIMIT, signal.SIGKILL)
    assert pipe.rest() == b""


def test_a_hard_limit_alone_kills_at_once(place: Place, pipe: Pipe) -> None:
    """Nobody asks first."""
    script = "trap 'echo asked' TERM; sleep 1000 & wait"
    ending = ended(place.start(["sh", "-c", script], Limits(hard_s=0.2), out=pipe))

    assert (ending.reason, ending.signal) == (Reason.HARD_LIMIT, signal.SIGKILL)
    assert pipe.rest() == b""


def test_a_stop_within_the_grace_of_the_soft_limit_shortens_it(place: Place, pipe: Pipe) -> None:
    """The soft limit stays the reason: it came first."""
    script = "trap 'echo asked' TERM; while :; do sleep 1000 & wait; done"
    child = place.start(["sh", "-c", script], Limits(soft_s=0.2, hard_s=10_000), out=pipe)
    assert pipe.read_line() == b"asked"
    child.stop(0, "cancelled")
    ending = ended(child)

    assert (ending.reason, ending.signal) == (Reason.SOFT_LIMIT, signal.SIGKILL)


def test_a_command_within_its_limits_is_left_alone(place: Place) -> None:
    """Limits change nothing for whoever keeps them."""
    ending = place.run(["sh", "-c", "exit 3"], Limits(soft_s=1000, hard_s=2000, memory_bytes=500 * MB))

    assert (ending.reason, ending.exit_code) == (Reason.EXITED, 3)


@ways_to_know
def test_a_command_over_its_memory_is_ended_as_oom(place: Place) -> None:
    """One process that takes too much."""
    hog = [sys.executable, "-c", HOG]
    ending = place.run(hog, Limits(memory_bytes=128 * MB), env={"PIECES": "40", "STAY": "yes"})

    assert (ending.reason, ending.signal) == (Reason.OOM, signal.SIGKILL)
    assert str(128 * MB) in ending.message


@ways_to_know
def test_the_memory_of_all_below_a_command_counts_together(place: Place, pipe: Pipe) -> None:
    """Each of three stays below the limit; the shell that started them is innocent, and ended too."""
    hog = f"'{sys.executable}' -c \"$HOG\""
    child = place.start(
        ["sh", "-c", f"{hog} & {hog} & setsid {hog} & wait; sleep 1000"],
        Limits(memory_bytes=160 * MB),
        out=pipe,
        env={"HOG": HOG, "PIECES": "5", "STAY": "yes"},
    )
    ending = ended(child)

    assert ending.reason is Reason.OOM
    assert set(pipe.rest().split()) <= {b"held"}


@pytest.mark.parametrize("script", ["exit 0", "kill -KILL $PPID; while :; do :; done"])
def test_no_control_group_is_left(place: Place, script: str) -> None:
    """Neither by a command that ended nor by one that killed its keeper."""
    place.run(["sh", "-c", script], Limits(memory_bytes=128 * MB))
    pid = place.guardian.pid
    place.guardian.close()
    found = hierarchies(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())

    assert [path for tree in found for path in Path(tree.home).glob(f"guarded-{pid}-*")] == []


@pytest.fixture
def cgroup_parent() -> Iterator[Path]:
    """A control group that an operator made for the guardian."""
    found = hierarchies(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())
    for tree in found:
        made = Path(tree.home) / f"operator-{os.getpid()}"
        try:
            made.mkdir()
        except OSError:
            continue
        if (made / "memory.limit_in_bytes").exists():
            yield made
            made.rmdir()
            return
        made.rmdir()
    pytest.skip("no control group of version 1 with a memory controller can be made here")


def test_groups_are_made_where_the_operator_says(cgroup_parent: Path, tmp_path: Path) -> None:
    """The command lies in a group below that one while it runs."""
    guardian = Guardian.start(Watchfulness(cgroup_parent=cgroup_parent))
    place = Place(guardian, tmp_path)
    ending = place.run(["cat", "/proc/self/cgroup"], Limits(memory_bytes=128 * MB))
    guardian.close()

    assert ending.exit_code == 0
    assert f"/{cgroup_parent.name}/guarded-{guardian.pid}-" in place.stdout.read_text()


@ways_to_know
def test_a_command_that_stays_below_its_memory_is_left_alone(place: Place) -> None:
    """Nearly the limit is within the limit."""
    hog = [sys.executable, "-c", HOG]
    ending = place.run(hog, Limits(memory_bytes=256 * MB), env={"PIECES": "8"})

    assert (ending.reason, ending.exit_code) == (Reason.EXITED, 0)


@pytest.mark.parametrize("watchfulness", [Watchfulness(cgroups=False)])
def test_pages_that_processes_share_count_once(place: Place, pipe: Pipe) -> None:
    """Four children of one big parent hold its memory once, though each shows it as resident."""
    script = HOG.replace("signal.pause()", "[os.fork() or signal.pause() for _ in range(4)] and os._exit(0)")
    hog = [sys.executable, "-c", script.replace('os.write(1, b"held', 'os.write(1, b"one')]
    ending = ended(
        place.start(hog, Limits(memory_bytes=200 * MB), out=pipe, env={"PIECES": "6", "STAY": "yes"})
    )

    assert (ending.reason, ending.leftovers) == (Reason.EXITED, 4)
