"""Watches a running attempt: its output goes to the live log, its progress file to the status.

Whatever happens here, the files hold the whole output. A ledger that does not answer, is full or refuses costs the live
view, never the job; followers see the gap by the offsets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hysds.core.errors import HysdsError
from hysds.leasing.attempt import Attempt
from hysds.leasing.workdir import WorkDir
from hysds.lib.process.ending import Ending
from hysds.lib.process.tail import Tail
from hysds.ports.engines import Running
from hysds.ports.logs import NOTE, Chunk, Logs

_GATHER_BYTES = 256 * 1024
"""So much output travels in one call; what is there at once is sent at once."""


class LiveLog:
    """The live log of one attempt. A job without output has none, and costs no call."""

    def __init__(self, attempt: Attempt, logs: Logs) -> None:
        self._attempt = attempt
        self._logs = logs
        self._chunks: list[Chunk] = []
        self._size_bytes = 0
        self._began = False

    def watch(self, running: Running, tail: Tail, place: WorkDir) -> Ending:
        """Stream until the workload has ended; answers its end."""
        progress = _Progress(place.progress)

        def has_ended(timeout_s: float) -> bool:
            self._show(progress.latest())
            self._flush()
            return running.wait(timeout_s) is not None

        for chunk in tail.follow(has_ended):
            self._add(Chunk(chunk.stream, chunk.offset, chunk.data))
        self._show(progress.latest())
        self._flush()
        ending = running.wait(None)
        assert ending is not None
        return ending

    def finish(self, notes: Iterable[str]) -> None:
        """What HySDS itself has to say to those who follow, and the end of the log."""
        for note in notes:
            self._say(note)
        self._flush()
        if self._began:
            try:
                self._logs.finish(self._attempt.id, self._attempt.fence)
            except HysdsError:
                return  # its followers learn from the ledger that the attempt is over

    def _show(self, progress: str | None) -> None:
        if progress is not None:
            self._attempt.show_progress(progress)
            self._say(f"progress: {progress}")

    def _say(self, note: str) -> None:
        self._add(Chunk(NOTE, 0, f"{note}\n".encode(errors="backslashreplace")))

    def _add(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._size_bytes += len(chunk.data)
        if self._size_bytes >= _GATHER_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._chunks:
            return
        chunks, self._chunks, self._size_bytes = self._chunks, [], 0
        self._began = True
        try:
            self._logs.append(self._attempt.id, self._attempt.fence, chunks)
        except HysdsError:
            return  # the files have it


class _Progress:
    """The last line of the file that HYSDS_PROGRESS names: a fraction from 0 to 1, and a message."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = (0, 0)

    def latest(self) -> str | None:
        """The newest whole line, None where there is nothing new."""
        try:
            status = os.stat(self._path, follow_symlinks=False)
        except OSError:
            return None
        seen = (status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return None
        self._seen = seen
        return _last_line(self._path, status.st_size)


def _last_line(path: Path, size_bytes: int) -> str | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # No more than was seen: a line that came since is new at the next look, and must not be told twice.
        start = max(size_bytes - 4096, 0)
        tail = os.pread(fd, size_bytes - start, start)
    except OSError:
        return None
    finally:
        os.close(fd)
    lines = [line for line in tail.decode(errors="replace").split("\n")[:-1] if line.strip()]
    return _progress(lines[-1]) if lines else None


def _progress(line: str) -> str | None:
    """`0.42 message`, checked and made short; None for a line that says no fraction."""
    fraction, _, message = line.strip().partition(" ")
    try:
        value = float(fraction)
    except ValueError:
        return None
    return f"{value:.4g} {message.strip()}".strip() if 0 <= value <= 1 else None
