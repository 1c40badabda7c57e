"""How a process says that it is ready."""

from __future__ import annotations

import os

from hysds.lib import readiness


def test_readiness_is_one_line_and_the_pipe_is_closed() -> None:
    """Whoever reads gets the line, then the end."""
    ours, theirs = os.pipe()
    readiness.tell(theirs)
    with os.fdopen(ours, "rb") as pipe:
        assert pipe.read() == readiness.READY


def test_nobody_needs_to_listen() -> None:
    """Without a descriptor nothing happens, and a reader that is gone is no error."""
    readiness.tell(None)
    ours, theirs = os.pipe()
    os.close(ours)
    readiness.tell(theirs)
