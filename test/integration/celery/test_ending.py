"""How a worker ends, by signal and by remote control."""

from __future__ import annotations

import signal
import subprocess

import pytest


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_first_signal_drains_and_the_worker_leaves_with_0(stage, number) -> None:
    """The running job ends by itself; bells meanwhile go to another worker; then the process ends in order."""
    worker = stage.worker("one")
    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "a")
    stage.worker("two")

    worker.signal(number)
    stage.director.wait("one", "draining")
    stage.bell.ring(stage.queue, 4)
    stage.director.wait("two", "heard", stage.queue, times=4)
    stage.director.end("a")

    assert worker.wait() == 0
    assert stage.director.count("one", "closed") == 1
    assert stage.director.count("one", "heard", stage.queue) == 1


def test_an_idle_worker_leaves_at_once(stage) -> None:
    """With nothing to wait for TERM is a clean exit."""
    worker = stage.worker("one")

    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert stage.director.events[-2:] == [("one", "draining"), ("one", "closed")]


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGTERM, signal.SIGTERM], [signal.SIGQUIT], [signal.SIGTERM, signal.SIGINT]],
    ids=lambda signals: "+".join(number.name for number in signals),
)
def test_a_second_signal_or_quit_ends_it_at_once_after_close(stage, signals) -> None:
    """A job that would run for ever keeps no worker: it closes, and the process is gone with a failure's code."""
    worker = stage.worker("one")
    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "a")

    worker.signal(signals[0])
    for number in signals[1:]:
        stage.director.wait("one", "draining")
        worker.signal(number)

    assert worker.wait() == 1
    assert stage.director.count("one", "closed") == 1


def test_a_worker_whose_drain_does_not_come_to_its_end_is_gone_in_time_all_the_same(stage) -> None:
    """Whatever hangs: nobody need kill it, and its guardian looks after the rest."""
    worker = stage.worker("one", LONGEST_DRAIN_S="0.5")
    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "a")

    worker.signal(signal.SIGTERM)

    assert worker.wait() == 1
    assert stage.director.count("one", "closed") == 0


def test_remote_shutdown_drains_too(stage) -> None:
    """`celery control shutdown` waits for the running job as TERM does."""
    worker = stage.worker("one")
    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "a")

    command = stage.celery("control", "--destination", "one@here", "--timeout", "0.1", "shutdown")
    subprocess.run(command, env=stage.environment(), capture_output=True, check=False)
    stage.director.wait("one", "draining")
    stage.director.end("a")

    assert worker.wait() == 0
    assert stage.director.count("one", "closed") == 1
