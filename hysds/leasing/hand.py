"""What a worker has in hand: leases won together with a commit, each until a request of its own takes it up."""

from __future__ import annotations

import math
import threading
import time
from collections import deque

from hysds.leasing.claims import Won


class Hand:
    """Any thread may call any method. `patience_s`: how long a request that was asked for may take to come."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._won: deque[Won] = deque()
        self._asked_at = -math.inf
        self._is_shut = False

    def put(self, won: Won) -> bool:
        """Keep it; False when the hand is shut. Whoever puts asks for a request."""
        with self._lock:
            if self._is_shut:
                return False
            self._won.append(won)
            self._asked_at = time.monotonic()
            return True

    def take(self) -> Won | None:
        """The oldest, for the request that came."""
        with self._lock:
            return self._won.popleft() if self._won else None

    def overdue(self) -> tuple[str, ...]:
        """The queues to ask for again, one a lease: their requests may have got lost, with a connection perhaps."""
        now = time.monotonic()
        with self._lock:
            if now < self._asked_at + self._patience_s:
                return ()
            self._asked_at = now
            return tuple(won.attempt.record.queue for won in self._won)

    def open(self) -> None:
        """Take leases again."""
        with self._lock:
            self._is_shut = False

    def shut(self) -> tuple[Won, ...]:
        """Take nothing more; answers what nobody has taken up."""
        with self._lock:
            self._is_shut = True
            left = tuple(self._won)
            self._won.clear()
            return left
