"""How a role that is no Celery worker lives in a process: its log, its signals, its end.

The first SIGTERM, SIGINT or SIGHUP asks for a clean end, the second ends at once.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
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
def until_told() -> Iterator[threading.Event]:
    """An event that is set by the first signal; the second ends the process. Only in the main thread."""
    stop = threading.Event()

    def heard(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(Exit.INTERRUPTED)
        stop.set()

    before = {number: signal.signal(number, heard) for number in _ENDINGS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
