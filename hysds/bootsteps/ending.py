"""How a job worker ends: TERM, INT or HUP drain, then it leaves with 0; a second one, or QUIT, ends it at once.

Celery's own warm shutdown would wait for the threads without bound, and a second TERM would change nothing. A signal
handler interrupts the hub anywhere, also where it holds a lock, so it only puts the number into a queue; a thread of
its own acts on it.

Whatever hangs, the broker, the ledger or a disk, the process is gone in time: `LeaseWorker.longest_drain_s` after the
first signal at the latest, which is less than systemd or Kubernetes should wait before they kill.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType

from celery.platforms import EX_OK

from hysds.celery import LeaseWorker

_DRAIN = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_EXIT_AT_ONCE = 1
_LEAVE_S = 5.0
"""How long the event loop may take to end after the drain; it may be waiting for a broker that hangs."""

_logger = logging.getLogger(__name__)


class Ending:
    """Drains the worker once, whoever asks first, and tells when it is done."""

    def __init__(self, worker: LeaseWorker, leave: Callable[[], None]) -> None:
        self._worker = worker
        self._leave = leave
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._drained = threading.Event()
        self._lock = threading.Lock()
        self._begun = False
        self._closing = threading.Lock()
        self._closed = False

    def listen(self) -> None:
        """Take over the signals; only the main thread may. From now on this process has a thread."""
        threading.Thread(target=self._serve, name="ending", daemon=True).start()
        for number in (*_DRAIN, signal.SIGQUIT):
            signal.signal(number, self._heard)

    def drain(self) -> None:
        """Let the worker drain, and return once it has."""
        self._begin()
        self._drained.wait()

    def close(self) -> None:
        """Let the worker let go of everything, once."""
        with self._closing:  # whoever comes second waits for the first
            if not self._closed:
                self._closed = True
                self._worker.close()

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self._signals.put(number)  # safe to call in a handler

    def _serve(self) -> None:
        number = self._signals.get()
        if number != signal.SIGQUIT:
            _logger.warning("%s: draining; once more ends the jobs at once", signal.Signals(number).name)
            self._bound()
            threading.Thread(target=self._drain_and_leave, name="drain", daemon=True).start()
            number = self._signals.get()
        _logger.warning("%s: ending at once", signal.Signals(number).name)
        self._end_at_once()

    def _drain_and_leave(self) -> None:
        self.drain()
        self._leave()
        time.sleep(_LEAVE_S)  # an orderly end is quicker, and ends this thread with the process
        _logger.warning("drained, but the broker does not let the worker end: leaving it")
        self._exit(EX_OK)

    def _bound(self) -> None:
        """The last resort; a guardian that sees its worker gone ends what is left and tells the ledger."""
        timer = threading.Timer(self._worker.longest_drain_s, os._exit, (_EXIT_AT_ONCE,))
        timer.daemon = True
        timer.start()

    def _begin(self) -> None:
        with self._lock:
            begun, self._begun = self._begun, True
        if not begun:
            self._worker.drain(self._drained.set)

    def _end_at_once(self) -> None:
        # The pool's threads can't be ended, and Python would wait for them: so no ordinary exit. A signal more than
        # enough must work also while `close` hangs.
        threading.Thread(target=self._exit_at_next_signal, name="impatient", daemon=True).start()
        self._exit(_EXIT_AT_ONCE)

    def _exit(self, code: int) -> None:
        try:
            self.close()
        finally:
            logging.shutdown()
            os._exit(code)

    def _exit_at_next_signal(self) -> None:
        self._signals.get()
        os._exit(_EXIT_AT_ONCE)
