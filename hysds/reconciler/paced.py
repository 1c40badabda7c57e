"""A duty that is not due in every round."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Paced:
    """Does the duty at its first call, and then once an interval. `clock_s` never goes back."""

    def __init__(
        self, duty: Callable[[], int], every_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._duty = duty
        self._every_s = every_s
        self._clock_s = clock_s
        self._last_s = -math.inf

    def __call__(self) -> int:
        """What the duty answered; 0 where it was not due."""
        now_s = self._clock_s()
        if now_s - self._last_s < self._every_s:
            return 0
        self._last_s = now_s
        return self._duty()
