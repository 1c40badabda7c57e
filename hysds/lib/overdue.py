"""Says that something takes long while it still goes on: whoever waits learns what for, before it has failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def told(after_s: float, tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell`, once and in a thread of its own, if the block goes on for so long."""
    timer = threading.Timer(after_s, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
