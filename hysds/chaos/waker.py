"""A child that lets stopped processes go on if the run is killed while it has them stopped.

It reads whom to look after from a pipe; the end of the pipe, which is also our death, is its sign. A stopped
guardian would keep what it guards alive.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

_PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
stopped = set()
for line in sys.stdin:
    word, pid = line.split()
    (stopped.add if word == "watch" else stopped.discard)(int(pid))
for pid in stopped:
    try:
        os.kill(pid, signal.SIGCONT)
    except OSError:
        pass
"""


class Waker:
    """Looks after stopped processes until it is closed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def watch(self, pids: Iterable[int]) -> None:
        """These are about to be stopped."""
        self._say("watch", pids)

    def forget(self, pids: Iterable[int]) -> None:
        """These go on."""
        self._say("forget", pids)

    def close(self) -> None:
        """Whoever is still stopped goes on. A second time is nothing."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            pipe.close()
            self._process.wait()

    def _say(self, word: str, pids: Iterable[int]) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        pipe.writelines(f"{word} {pid}\n" for pid in pids)
        pipe.flush()
