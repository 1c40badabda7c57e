"""Bells that nobody heard: which queues to ring for again.

No job waits for such a bell. A worker bids when it starts and at each renewal, so with every bell lost it finds what is
ready. The bell is for what looks at the broker alone: a monitor, or a scaler that starts workers by the length of a
queue. So one bell lies in a queue that has ready work and no worker, and is renewed when it has expired.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from hysds.ports.ledger import QueueState


class Unheard:
    """Since when this process has seen queues with ready work that no announced worker hears.

    `expires_s`: how long a bell lives, and so the least between two for one queue. `clock_s` never goes back.
    """

    def __init__(self, expires_s: float, clock_s: Callable[[], float]) -> None:
        self._expires_s = expires_s
        self._clock_s = clock_s
        self._since_s: dict[str, float] = {}

    def due(self, queues: Sequence[QueueState], heard: Collection[str]) -> tuple[str, ...]:
        """The queues to ring for now. `heard`: those that a standing worker hears."""
        now_s = self._clock_s()
        unheard = [one.queue for one in queues if one.ready > 0 and not one.paused and one.queue not in heard]
        self._since_s = {queue: self._since_s.get(queue, now_s) for queue in unheard}
        due = tuple(queue for queue in unheard if now_s - self._since_s[queue] >= self._expires_s)
        self._since_s |= dict.fromkeys(due, now_s)
        return due
