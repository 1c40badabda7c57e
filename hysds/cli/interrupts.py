"""Signals that end a command: while it is being loaded without a word, and in order, as Ctrl-C does, after that.

Loads nothing but the standard library: its first handler is set before anything else of ours is loaded.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130


def leave_at_once() -> None:
    """Ctrl-C ends the process: nothing was begun, and an exception would come up in the middle of some import. Not
    where whoever called us ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def raised() -> None:
    """From here on Ctrl-C is a KeyboardInterrupt, as what was begun has to be ended."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt while the block runs; not one that is ignored, as `nohup` has it."""
    before = {
        number: handler for number in _ENDINGS if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)
