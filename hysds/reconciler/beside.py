"""A duty that may take long, done beside the rounds: a schedule's job may have a creator that takes its time, and the
ledger's clock, which the rounds move, must not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Beside:
    """Does the duty on a thread of its own, one at a time. A call answers what came of the one before and starts the
    next; while one goes on, it answers 0.

    Raises: what the duty raised, in the call after it.
    """

    def __init__(self, duty: Callable[[], int]) -> None:
        self._duty = duty
        self._thread: threading.Thread | None = None
        self._count = 0
        self._error: Exception | None = None

    def __call__(self) -> int:
        if self._thread is not None and self._thread.is_alive():
            return 0
        count, error = self._count, self._error
        self._count, self._error = 0, None
        self._thread = threading.Thread(target=self._do, name="beside-rounds", daemon=True)
        self._thread.start()
        if error is not None:
            raise error
        return count

    def wait(self, timeout_s: float) -> None:
        """Until the duty that goes on is done, but no longer than this."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _do(self) -> None:
        try:
            self._count = self._duty()
        except Exception as error:  # noqa: BLE001  the shell of a thread: whoever asks next is told
            self._error = error
