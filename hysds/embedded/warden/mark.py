"""The mark that a system has not ended in order: made when its warden begins, removed when all has ended.

Whoever finds it where nothing runs knows that there was a crash. It decides nothing: a disk too full to make it, or
somebody else's file of that name, costs the word alone.
"""

from __future__ import annotations

import contextlib
import os

_FORMAT = b"hysds-runs 1 "
_MOST_BYTES = 64


def put(path: str, pid: int) -> None:
    """This process's; one that a crash left is replaced, what is not ours is left."""
    if os.path.lexists(path) and _pid(path) is None:
        return
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, _FORMAT + b"%d\n" % pid)
        finally:
            os.close(fd)


def remove(path: str, pid: int) -> None:
    """If it is this process's."""
    if _pid(path) == pid:
        with contextlib.suppress(OSError):
            os.unlink(path)


def stands(path: str) -> bool:
    """Whether there is one of ours."""
    return _pid(path) is not None


def _pid(path: str) -> int | None:
    """Whose it is; None where there is none, or it is not ours."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(fd, _MOST_BYTES)
    except OSError:
        return None
    finally:
        os.close(fd)
    number = text.removeprefix(_FORMAT).strip()
    return int(number) if text.startswith(_FORMAT) and number.isdigit() else None
