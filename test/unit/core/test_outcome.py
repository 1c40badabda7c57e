"""What the end of a command means."""

from __future__ import annotations

import errno
import signal

import pytest

from hysds.core import outcome
from hysds.core.status import FailureClass
from hysds.lib.process.ending import Ending, Moment, Reason, Usage


def ending(
    reason: Reason, code: int | None = None, signum: int | None = None, error: int | None = None
) -> Ending:
    return Ending(
        reason=reason,
        exit_code=code,
        signal=signum,
        errno=error,
        message="said so",
        started=None if error else Moment(10.0, 1000.0),
        ended=Moment(72.0, 1062.0),
        usage=Usage(0.0, 0.0, 0),
        leftovers=0,
    )


@pytest.mark.parametrize(
    ("end", "failure", "words"),
    [
        (ending(Reason.EXITED, 3), FailureClass.USER, "exit code 3"),
        (ending(Reason.SIGNALLED, signum=11), FailureClass.USER, "ended by SIGSEGV"),
        (ending(Reason.SOFT_LIMIT, 0), FailureClass.TIMEOUT, "soft time limit after 1m2s"),
        (ending(Reason.HARD_LIMIT, signum=9), FailureClass.TIMEOUT, "hard time limit after 1m2s"),
        (ending(Reason.OOM, signum=9), FailureClass.OOM, "more memory than resources.memory allows"),
        (ending(Reason.KEEPER_KILLED), FailureClass.USER, "the process that guards the command was killed"),
        (ending(Reason.STOPPED, signum=15), FailureClass.CANCELLED, "was stopped"),
        (ending(Reason.SILENT, signum=9), FailureClass.WORKER_LOST, "no sign of life"),
        (ending(Reason.ISOLATED, signum=9), FailureClass.WORKER_LOST, "could not reach the ledger"),
        (ending(Reason.TOO_LATE), FailureClass.WORKER_LOST, "was not started"),
        (ending(Reason.WORKER_GONE, signum=9), FailureClass.WORKER_LOST, "its worker died"),
        (ending(Reason.GUARDIAN_GONE), FailureClass.WORKER_LOST, "the guardian of its worker was killed"),
    ],
)
def test_each_end_has_its_class_and_says_what_happened(
    end: Ending, failure: FailureClass, words: str
) -> None:
    """A class is a decision that policy takes; the words are for people."""
    found = outcome.of_ending(end, ("prog",))

    assert failure is found.failure
    assert words in found.error


def test_every_reason_of_an_end_has_an_outcome() -> None:
    """A new reason can't be forgotten here."""
    for reason in Reason:
        error = errno.ENOENT if reason is Reason.COULD_NOT_START else None
        outcome.of_ending(ending(reason, code=1, error=error), ("prog",))


def test_exit_code_zero_alone_is_success() -> None:
    """A job that ends well after its soft limit has still overrun it."""
    assert outcome.of_ending(ending(Reason.EXITED, 0), ("prog",)).failure is None


def test_a_signal_shows_as_a_negative_exit_code() -> None:
    """So that `_exit_code` and the document tell it from an exit code of the command's own."""
    found = outcome.of_ending(ending(Reason.SIGNALLED, signum=signal.SIGKILL), ("prog",))

    assert (found.exit_code, found.signum) == (-9, 9)
    assert "out of memory" in found.hint


@pytest.mark.parametrize("error", [errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR])
def test_a_program_that_can_t_run_here_is_not_tried_again(error: int) -> None:
    """It won't come into being by waiting."""
    found = outcome.of_ending(ending(Reason.COULD_NOT_START, error=error), ("prog", "x"))

    assert (found.failure, found.permanent) == (FailureClass.ENVIRONMENT, True)
    assert found.error.startswith("prog: ")


def test_a_full_disk_says_which_phase_and_what_to_do() -> None:
    """The place failed the job, not the job itself: another host may do better."""
    found = outcome.of_os_error(OSError(errno.ENOSPC, "No space left on device", "/w/x"), "prepare")

    assert found.failure is FailureClass.ENVIRONMENT
    assert found.error == "prepare: No space left on device (/w/x)"
    assert "free some" in found.hint
