"""The threads that carry requests out: how many are at work, and whether they come to an end."""

from __future__ import annotations

import threading


class Crew:
    """Counts who is at work. Any thread may call any method."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = 0

    def begin(self) -> None:
        """One more is at work."""
        with self._changed:
            self._busy += 1

    def end(self) -> None:
        """One less."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def is_idle_within(self, timeout_s: float) -> bool:
        """Wait until nobody is at work, but no longer than this; whether it came to that."""
        with self._changed:
            return self._changed.wait_for(lambda: self._busy == 0, timeout_s)
