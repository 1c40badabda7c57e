"""How a job worker ends: TERM, INT or HUP drain, then it leaves with 0; a second one, or QUIT, ends it at once.

Celery's own warm shutdown would wait for the threads without bound, and a second TERM would change nothing. A signal
handler interrupts the hub anywhere, also where it holds a lock, so it only puts the number into a queue; a thread of
its own acts on it.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType

from celery.utils.log import get_logger

from hysds.celery import JobWorker

_DRAIN = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_EXIT_AT_ONCE = 1

_logger = get_logger(__name__)


class Ending:
    """Drains the worker once, whoever asks first, and tells when it is done."""

    def __init__(self, worker: JobWorker, leave: Callable[[], None]) -> None:
        self._worker = worker
        self._leave = leave
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._drained = threading.Event()
        self._lock = threading.Lock()
        self._begun = False

    def listen(self) -> None:
        """Take over the signals; only the main thread may. From now on this process has a thread."""
        threading.Thread(target=self._serve, name="ending", daemon=True).start()
        for number in (*_DRAIN, signal.SIGQUIT):
            signal.signal(number, self._heard)

    def drain(self) -> None:
        """Let the worker drain, and return once it has."""
        self._begin()
        self._drained.wait()

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self._signals.put(number)  # safe to call in a handler

    def _serve(self) -> None:
        number = self._signals.get()
        if number != signal.SIGQUIT:
            _logger.warning("%s: draining; once more ends the jobs at once", signal.Signals(number).name)
            threading.Thread(target=self._drain_and_leave, name="drain", daemon=True).start()
            number = self._signals.get()
        _logger.warning("%s: ending at once", signal.Signals(number).name)
        self._end_at_once()

    def _drain_and_leave(self) -> None:
        self.drain()
        self._leave()

    def _begin(self) -> None:
        with self._lock:
            begun, self._begun = self._begun, True
        if not begun:
            self._worker.drain(self._drained.set)

    def _end_at_once(self) -> None:
        # The pool's threads can't be ended, and Python would wait for them: so no ordinary exit. A signal more than
        # enough must work also while `close` hangs.
        threading.Thread(target=self._exit_at_next_signal, name="impatient", daemon=True).start()
        try:
            self._worker.close()
        finally:
            logging.shutdown()
            os._exit(_EXIT_AT_ONCE)

    def _exit_at_next_signal(self) -> None:
        self._signals.get()
        os._exit(_EXIT_AT_ONCE)
