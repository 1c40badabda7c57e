"""How far a long act has come, on stderr: one line that is written over on a terminal, else one every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_FIRST_S = 1.0
_TERMINAL_S, _FILE_S = 0.2, 5.0


class Progress:
    """Of `total` jobs. An act that is over within a second shows none. `now_s` never goes back."""

    def __init__(
        self,
        what: str,
        total: int,
        stream: TextIO | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`stream` of None: stderr."""
        self._what = what
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._now_s = now_s
        self._is_terminal = self._stream.isatty()
        self._next_s = now_s() + _FIRST_S
        self._done = 0
        self._width = 0

    def add(self, jobs: int) -> None:
        """So many more are done."""
        self._done += jobs
        now_s = self._now_s()
        if now_s < self._next_s or self._done >= self._total:
            return
        self._next_s = now_s + (_TERMINAL_S if self._is_terminal else _FILE_S)
        text = f"{self._what}: {self._done} of {self._total} jobs"
        self._width = max(self._width, len(text))
        self._stream.write(f"\r{text}" if self._is_terminal else f"{text}\n")
        self._stream.flush()

    def over(self) -> None:
        """Leave no half line behind."""
        if self._is_terminal and self._width:
            self._stream.write(f"\r{' ' * self._width}\r")
            self._stream.flush()
