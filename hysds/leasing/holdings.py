"""The attempts whose leases this worker holds, by lease: what renewals list and what notices are addressed to."""

from __future__ import annotations

import threading

from hysds.leasing.attempt import Attempt


class Holdings:
    """A table from (id, fence) to attempts. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: dict[tuple[str, int], Attempt] = {}

    def hold(self, attempt: Attempt) -> None:
        """A lease begins."""
        with self._lock:
            self._attempts[attempt.id, attempt.fence] = attempt

    def let_go(self, attempt: Attempt) -> None:
        """It ended."""
        with self._lock:
            self._attempts.pop((attempt.id, attempt.fence), None)

    def get(self, id: str, fence: int) -> Attempt | None:
        """The attempt with this very lease."""
        with self._lock:
            return self._attempts.get((id, fence))

    def all(self) -> tuple[Attempt, ...]:
        """All of them."""
        with self._lock:
            return tuple(self._attempts.values())
