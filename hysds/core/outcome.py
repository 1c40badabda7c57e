"""What an attempt's end means: success, or a failure with its class, and what to tell people about it."""

from __future__ import annotations

import errno
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hysds.core.status import FailureClass
from hysds.lib import units
from hysds.lib.process.ending import Ending, Reason


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `failure` of None: it succeeded."""

    failure: FailureClass | None = None
    error: str = ""
    hint: str = ""
    traceback: str = ""
    exit_code: int | None = None
    """-N for a command that signal N ended."""
    signum: int | None = None
    permanent: bool = False
    """Trying again can't help."""


def of_ending(ending: Ending, argv: tuple[str, ...]) -> Outcome:
    """The outcome of a command that ran, or could not."""
    outcome = _judge(ending, argv)
    exit_code = -ending.signal if ending.signal is not None else ending.exit_code
    return replace(outcome, exit_code=exit_code, signum=ending.signal)


def at_deadline(ended: Outcome, ran_s: float | None) -> Outcome:
    """The same end, of a job whose deadline had come then. `ran_s` of None: it was not started any more."""
    ran = (
        f"ran into its deadline after {units.format_duration(ran_s)}"
        if ran_s is not None
        else "was not started before its deadline"
    )
    hint = "submit it with a later deadline, or earlier"
    return replace(ended, failure=FailureClass.TIMEOUT, error=ran, hint=hint, permanent=True)


def _judge(ending: Ending, argv: tuple[str, ...]) -> Outcome:
    reason = ending.reason
    if reason is Reason.EXITED:
        return Outcome() if ending.exit_code == 0 else _exited(ending.exit_code)
    if reason is Reason.SIGNALLED:
        return _signalled(ending.signal)
    if reason is Reason.COULD_NOT_START:
        return _not_started(ending, argv)
    failure, error, hint = _WORDS[reason]
    ran = units.format_duration(ending.ended.boot_s - ending.started.boot_s) if ending.started else "no time"
    return Outcome(failure, error.format(ran=ran), hint)


_WORDS: Mapping[Reason, tuple[FailureClass, str, str]] = {
    Reason.SOFT_LIMIT: (
        FailureClass.TIMEOUT,
        "ran into its soft time limit after {ran}",
        "raise soft_time_limit, or make the work smaller",
    ),
    Reason.HARD_LIMIT: (
        FailureClass.TIMEOUT,
        "ran into its hard time limit after {ran}",
        "raise time_limit, or make the work smaller; end upon SIGTERM to leave results at the soft limit",
    ),
    Reason.OOM: (
        FailureClass.OOM,
        "used more memory than resources.memory allows, after {ran}",
        "raise resources.memory, or have the command use less",
    ),
    Reason.KEEPER_KILLED: (
        FailureClass.USER,
        "the process that guards the command was killed after {ran}",
        "the job killed its parent, or the host ran out of memory; see the host's kernel log",
    ),
    Reason.STOPPED: (FailureClass.CANCELLED, "was stopped after {ran}", ""),
    Reason.SILENT: (
        FailureClass.WORKER_LOST,
        "its worker gave no sign of life, after {ran}",
        "the worker was stopped or starved; see the load of the host",
    ),
    Reason.ISOLATED: (
        FailureClass.WORKER_LOST,
        "its worker could not reach the ledger for too long, after {ran}",
        "see the network between worker and ledger; worker.isolation_limit says how long is too long",
    ),
    Reason.TOO_LATE: (
        FailureClass.WORKER_LOST,
        "was not started, as its worker or guardian had stood still for longer than a lease",
        "the worker was stopped or starved; see the load of the host",
    ),
    Reason.WORKER_GONE: (FailureClass.WORKER_LOST, "its worker died, after {ran}", "see the worker's log"),
    Reason.GUARDIAN_GONE: (
        FailureClass.WORKER_LOST,
        "the guardian of its worker was killed after {ran}",
        "what it ran was killed too; see the host's kernel log: did it run out of memory?",
    ),
}


def _exited(code: int | None) -> Outcome:
    hint = {
        126: "126 means: found, but not executable",
        127: "127 means: a command of a script was not found",
    }
    return Outcome(
        FailureClass.USER, f"exit code {code}", hint.get(code or 0, "see the end of the job's _stderr.txt")
    )


def _signalled(number: int | None) -> Outcome:
    try:
        name = signal.Signals(number or 0).name
    except ValueError:
        name = f"signal {number}"
    hint = "SIGKILL from outside often is the kernel, out of memory" if number == signal.SIGKILL else ""
    return Outcome(FailureClass.USER, f"ended by {name}", hint)


def _not_started(ending: Ending, argv: tuple[str, ...]) -> Outcome:
    program = argv[0]
    if ending.errno == errno.E2BIG:
        return Outcome(
            FailureClass.INVALID,
            f"{program}: the command line is too long",
            "pass long values by file",
            permanent=True,
        )
    if ending.errno in _ABSENT:
        return Outcome(
            FailureClass.ENVIRONMENT,
            f"{program}: {_ABSENT[ending.errno]}",
            "give the program's full path, or put it on the worker's PATH, and make it executable",
            permanent=True,
        )
    return Outcome(
        FailureClass.ENVIRONMENT, f"{program}: {ending.message}", "see the host's limits and memory"
    )


_ABSENT = {
    errno.ENOENT: "no such program (or the interpreter in its first line is missing)",
    errno.EACCES: "not executable",
    errno.ENOEXEC: "no program of this machine's kind, and no first line that names an interpreter",
    errno.ENOTDIR: "no such program: a part of its path is no directory",
    errno.EISDIR: "a directory, not a program",
}


def of_os_error(error: OSError, phase: str) -> Outcome:
    """The outcome of an attempt whose place failed it: a full disk, a directory that can't be written."""
    place = f" ({error.filename})" if error.filename else ""
    hints = {
        errno.ENOSPC: "the disk is full: free some of it, or ask for resources.disk",
        errno.EDQUOT: "the quota is used up",
        errno.EACCES: "the worker's user may not write there; see worker.work_dir",
        errno.EROFS: "the file system is mounted read-only; see worker.work_dir",
        errno.EMFILE: "the worker has too many open files; raise its nofile limit",
    }
    return Outcome(
        FailureClass.ENVIRONMENT,
        f"{phase}: {error.strerror or error}{place}",
        hints.get(error.errno or 0, ""),
    )


def of_exception(error: BaseException, phase: str, traceback: str) -> Outcome:
    """The outcome of an attempt in which HySDS itself failed."""
    return Outcome(
        FailureClass.INTERNAL,
        f"{phase}: {type(error).__name__}: {error}",
        "report it, with the traceback",
        traceback,
    )
