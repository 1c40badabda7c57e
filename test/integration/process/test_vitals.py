"""What the kernel says of a process that lives."""

from __future__ import annotations

import os
import signal
import subprocess

from hysds.lib.process import vitals


def test_a_stopped_process_is_told_from_one_that_sleeps_and_one_that_is_gone() -> None:
    """By SIGSTOP, and not any more after SIGCONT."""
    with subprocess.Popen(["sleep", "600"]) as sleeper:
        assert not vitals.is_stopped(sleeper.pid)
        sleeper.send_signal(signal.SIGSTOP)
        os.waitpid(sleeper.pid, os.WUNTRACED)
        assert vitals.is_stopped(sleeper.pid)
        sleeper.send_signal(signal.SIGCONT)
        os.waitpid(sleeper.pid, os.WCONTINUED)
        assert not vitals.is_stopped(sleeper.pid)
        sleeper.kill()

    assert not vitals.is_stopped(sleeper.pid)


def test_the_age_of_a_process_counts_from_its_start() -> None:
    """A child is no older than its parent; nobody has no age."""
    with subprocess.Popen(["sleep", "600"]) as child:
        assert 0 <= vitals.age_s(child.pid) <= vitals.age_s(os.getpid())
        child.kill()

    assert vitals.age_s(2**22 + 1) == 0
