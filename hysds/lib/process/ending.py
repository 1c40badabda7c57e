"""How a guarded command ended: what its worker is told once nothing of it lives any more."""

from __future__ import annotations

from dataclasses import dataclass

from hysds.lib.process.guard.wire import Ended, Reason, Started, boot_s, wall_s

__all__ = ["Ending", "Moment", "Reason", "Usage", "boot_s", "from_wire", "lost"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time on two clocks, in seconds: since boot (for durations), since 1970 (for people)."""

    boot_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What the command and all that it started used, as far as it was waited for.

    `max_rss_bytes`: of the largest single process. The kernel counts from before the program is loaded, so it
    is never less than the keeper's own size, about 15 MB.
    """

    cpu_user_s: float
    cpu_system_s: float
    max_rss_bytes: int


@dataclass(frozen=True, slots=True)
class Ending:
    """A command's end.

    `exit_code`, `signal`: of the command itself; one of them is set if it ran and its end is known. Also a
    command that was stopped or met its soft limit may have ended with an exit code of its own.
    `message`: what happened, for people; for `STOPPED` the text given with the stop. `errno`: of a failed
    start.
    `started`: None if it never ran.
    `leftovers`: how many processes beside the command had to be killed.
    `all_gone`: whether it is known that nothing is left. False only if guardian and keeper were both killed.
    """

    reason: Reason
    exit_code: int | None
    signal: int | None
    errno: int | None
    message: str
    started: Moment | None
    ended: Moment
    usage: Usage
    leftovers: int
    all_gone: bool = True


def from_wire(ended: Ended, started: Started | None) -> Ending:
    """The keeper's report."""
    return Ending(
        reason=Reason(ended.reason),
        exit_code=ended.exit_code,
        signal=ended.signal,
        errno=ended.errno,
        message=ended.message,
        started=_start(started),
        ended=Moment(ended.boot_s, ended.wall_s),
        usage=Usage(ended.cpu_user_s, ended.cpu_system_s, ended.max_rss_bytes),
        leftovers=ended.leftovers,
    )


def lost(started: Started | None) -> Ending:
    """There is no report and nobody left to make one."""
    return Ending(
        reason=Reason.GUARDIAN_GONE,
        exit_code=None,
        signal=None,
        errno=None,
        message="guardian and keeper were both killed: something of the command may still run",
        started=_start(started),
        ended=Moment(boot_s(), wall_s()),
        usage=Usage(0.0, 0.0, 0),
        leftovers=0,
        all_gone=False,
    )


def _start(started: Started | None) -> Moment | None:
    return None if started is None else Moment(started.boot_s, started.wall_s)
