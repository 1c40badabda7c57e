"""UUIDs of version 7 (RFC 9562) that strictly increase within one process.

The 74 free bits are a 42-bit counter, seeded at random each millisecond, above 32 random bits, so ids of one source
sort in the order of their making even when the clock stands still or steps back.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

_COUNTER_BITS = 42
_RANDOM_BITS = 32


def wall_ms() -> int:
    """Wall-clock time in ms since 1970."""
    return time.time_ns() // 1_000_000


class Uuid7Source:
    """Makes ids; safe to share between threads. `now_ms` and `random_bits` are arguments for tests."""

    def __init__(
        self, now_ms: Callable[[], int] = wall_ms, random_bits: Callable[[int], int] = secrets.randbits
    ) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._lock = threading.Lock()
        self._ms = -1
        self._counter = 0

    def __call__(self) -> str:
        """The next id, in canonical lower-case form."""
        with self._lock:
            ms, counter = self._step()
        return compose(ms, counter, self._random_bits(_RANDOM_BITS))

    def _step(self) -> tuple[int, int]:
        now = self._now_ms()
        if now > self._ms:
            # The top counter bit starts clear: 2^41 ids fit into one millisecond before the time must be borrowed.
            self._ms, self._counter = now, self._random_bits(_COUNTER_BITS - 1)
        elif self._counter + 1 < 1 << _COUNTER_BITS:
            self._counter += 1
        else:
            self._ms, self._counter = self._ms + 1, 0
        return self._ms, self._counter


def compose(ms: int, counter: int, random: int) -> str:
    """The UUID of version 7 with these parts: 48 bits of time, 42 of counter, 32 of chance."""
    tail = (counter << _RANDOM_BITS) | random
    value = (
        (ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | (tail & ((1 << 62) - 1))
    )
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
