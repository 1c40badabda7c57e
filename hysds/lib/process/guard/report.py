"""What is reported of a command's end, by its keeper or in its keeper's place."""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

import resource
from typing import NamedTuple

from . import wire
from .wire import Reason


class Used(NamedTuple):
    """What a command and all below it used."""

    cpu_user_s: float = 0.0
    cpu_system_s: float = 0.0
    max_rss_bytes: int = 0
    """Of the largest process."""

    def beside(self, more: resource.struct_rusage) -> Used:
        """Together with one that was just reaped."""
        return Used(
            self.cpu_user_s + more.ru_utime,
            self.cpu_system_s + more.ru_stime,
            max(self.max_rss_bytes, more.ru_maxrss * 1024),
        )


def refusal(error: OSError) -> wire.Ended:
    """The report on a command that never ran."""
    message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return ended(Reason.COULD_NOT_START, None, None, message[:4096], 0)._replace(errno=error.errno)


def too_late() -> wire.Ended:
    """The report on a command that its guardian or keeper came to only after its time."""
    return ended(Reason.TOO_LATE, None, None, "the time to start it had passed", 0)


def end_of_widow(leftovers: int) -> wire.Ended:
    """The guardian's report on a command whose keeper was killed: how the command itself ended is not known."""
    message = "its keeper was killed, so its exit code is not known; everything it left was killed"
    return ended(Reason.KEEPER_KILLED, None, None, message, leftovers)


def ended(
    reason: Reason,
    code: int | None,
    number: int | None,
    message: str,
    leftovers: int,
    used: Used | None = None,
) -> wire.Ended:
    """The report on a command that is gone. `used` of None: nothing, or not known."""
    used = used or Used()
    return wire.Ended(
        reason=reason.value,
        exit_code=code,
        signal=number,
        errno=None,
        message=message,
        boot_s=wire.boot_s(),
        wall_s=wire.wall_s(),
        cpu_user_s=used.cpu_user_s,
        cpu_system_s=used.cpu_system_s,
        max_rss_bytes=used.max_rss_bytes,
        leftovers=leftovers,
    )
