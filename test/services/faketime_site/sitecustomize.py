"""For Python under libfaketime 0.9.10, which fails each sleep until a moment of the steady clock (EINVAL) where only
the wall clock is faked: `time.sleep` of Python 3.11 and later is one. A sleep by `select` is none.
"""

from __future__ import annotations

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    seconds = float(seconds)
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = _sleep
