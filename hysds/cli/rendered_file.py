"""A file that we render for others: never over one that is not ours, and its secrets for its owner alone."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from hysds.core.errors import Refused
from hysds.settings import rendering

_MODE = 0o600
_LARGEST_BYTES = 1 << 20


def put(path: Path, text: str, forced: bool) -> None:
    """Write the file whole, of mode 600, or leave what is there.

    Raises: Refused for a file that was not rendered, or was edited since, unless it is `forced`, and for a place that
    can't be written.
    """
    if not forced and (reason := _foreign(path)):
        raise Refused(f"{path} {reason}: it stays as it is; name another file, or give --force")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(fd)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise Refused(f"{path} can't be written: {error.strerror}") from error


def _foreign(path: Path) -> str:
    """Why what is there is not ours; "" where it is, or nothing is there."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return "is no plain file"
        with path.open(encoding="utf-8") as file:
            is_ours = rendering.is_rendered(file.read(_LARGEST_BYTES))
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        return "can't be read"
    return "" if is_ours else "is another's file, or was edited"
