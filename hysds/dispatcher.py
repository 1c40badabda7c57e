"""Who is rung, and how often: the only code that rings.

The ledger has already woken every idle worker that is announced and fits, through its inbox. A bell is for whoever
listens on the broker and is not announced yet. Workers that are announced and full claim by themselves when a slot
frees, so for them a bell would only be noise.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from hysds.core.errors import Unreachable
from hysds.core.requests import Ready
from hysds.ports.bell import Bell

MAX_BELLS = 1
"""The most bells that one batch rings for one queue: whoever hears the first claims until nothing fits."""

_logger = logging.getLogger(__name__)


def bells(ready: Sequence[Ready]) -> Mapping[str, int]:
    """How often each queue's bell rings for one batch; a queue that needs none is not named."""
    unheard: dict[str, int] = {}
    for item in ready:
        if item.unheard > 0 and item.hearers == 0:
            unheard[item.queue] = unheard.get(item.queue, 0) + item.unheard
    return {queue: min(jobs, MAX_BELLS) for queue, jobs in unheard.items()}


class Dispatcher:
    """Rings for what a step of the ledger made ready."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell

    def ring(self, ready: Sequence[Ready]) -> Unreachable | None:
        """Ring for one batch; answers why nobody was rung when the broker does not take it, and raises nothing.

        Such a failure loses no job: the ledger has it, and the next renewal of any worker finds it.
        """
        for queue, times in bells(ready).items():
            try:
                self._bell.ring(queue, times)
            except Unreachable as unreachable:
                _logger.warning(
                    "queue %s has work, but its bell was not rung: %s; workers find the work at their next renewal",
                    queue,
                    unreachable,
                    extra={"action": "ring", "queue": queue},
                )
                return unreachable
        return None

    def ring_again(self, queue: str) -> bool:
        """Ring a queue's bell once if none lies there; whether it was rung. Raises nothing, as `ring`."""
        try:
            if self._bell.waiting(queue) > 0:
                return False
            self._bell.ring(queue, 1)
        except Unreachable as unreachable:
            _logger.info("queue %s was not rung again: %s", queue, unreachable, extra={"queue": queue})
            return False
        return True

    def close(self) -> None:
        """Let go of the bell's connections."""
        self._bell.close()
