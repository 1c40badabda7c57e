"""How a process tells the one that started it that it is ready: one line on a pipe that it was given for that."""

from __future__ import annotations

import os

READY = b"ready\n"


def tell(fd: int | None) -> None:
    """Say that this process is ready, and let go of the pipe. None: nobody asked. To be called once.

    Whoever asked may be gone meanwhile; that is no error here.
    """
    if fd is None:
        return
    try:
        os.write(fd, READY)
    except (BrokenPipeError, BlockingIOError):
        pass
    finally:
        os.close(fd)
