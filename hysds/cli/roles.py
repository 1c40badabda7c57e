"""How a role that is no Celery worker lives in a process: its log, its signals, its end.

The first SIGTERM, SIGINT or SIGHUP asks for a clean end, the second ends at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from hysds.cli.exits import Exit
from hysds.lib import readiness, structured_log
from hysds.lib.structured_log import Plan
from hysds.settings import environment, urls
from hysds.settings.model import Settings

_ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOG = logging.getLogger(__name__)


def log_to_stderr() -> None:
    """What this process logs before it knows its settings, from INFO on."""
    structured_log.configure(Plan())


def tell_ready() -> None:
    """Whoever started this process and waits for it learns that it works. To be called once."""
    readiness.tell(environment.ready_fd())


def log_start(role: str, settings: Settings) -> None:
    """Log by the settings from now on, and say in one line which role this is, and of which ledger."""
    structured_log.configure(settings.log_plan, settings.secrets, role=role)
    _LOG.info("%s starts, for the ledger at %s", role, urls.masked(settings.ledger_url))


@contextmanager
def until_told(on_hangup: Callable[[], None] | None = None) -> Iterator[threading.Event]:
    """An event that is set by the first signal; the second ends the process. Only in the main thread.

    `on_hangup`: what SIGHUP does instead, as it does to daemons. A process that was started at a terminal still ends
    with that.
    """
    stop = threading.Event()

    def heard(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(Exit.INTERRUPTED)
        stop.set()

    handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = dict.fromkeys(_ENDINGS, heard)
    if on_hangup is not None and not _is_at_terminal():
        handlers[signal.SIGHUP] = lambda number, frame: on_hangup()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_at_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
