"""What the command's exit code says."""

from __future__ import annotations

from enum import IntEnum

from hysds.core.status import Status


class Exit(IntEnum):
    """The exit codes of every command; `run` and `logs -f` exit as their job."""

    COMPLETED = 0
    FAILED = 1
    REFUSED = 2
    """An invalid spec or setting, a wrong option, an id that nobody knows."""
    REVOKED = 3
    UNREACHABLE = 4
    """A part of the system does not answer."""
    BEHIND = 5
    """Not yet all that it should be, and nothing is wrong: ask again (`index verify`)."""
    INTERRUPTED = 130


_OF_STATUS = {
    Status.COMPLETED.value: Exit.COMPLETED,
    Status.FAILED.value: Exit.FAILED,
    Status.REVOKED.value: Exit.REVOKED,
}


def of_status(status: str) -> Exit:
    """The exit code of a job that ended so.

    Raises: KeyError for a job that has not ended, and for a duplicate: the job that stands for it has a code.
    """
    return _OF_STATUS[status]
