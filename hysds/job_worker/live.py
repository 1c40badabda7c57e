"""Watches a running attempt: its output goes to the live log, its progress file to the status."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hysds.core.errors import Unreachable
from hysds.job_worker.attempt import Attempt
from hysds.job_worker.workdir import WorkDir
from hysds.lib.process.ending import Ending
from hysds.lib.process.tail import Tail
from hysds.ports.engines import Running
from hysds.ports.logs import Chunk, Logs

_GATHER_BYTES = 256 * 1024
"""So much output travels in one call; what is there at once is sent at once."""


def watch(attempt: Attempt, running: Running, workdir: WorkDir, logs: Logs) -> Ending:
    """Stream until the workload has ended; answers its end. Whatever happens here, the files hold the whole output."""
    sender = _Sender(attempt, logs)
    progress = _Progress(workdir.progress)
    with Tail({"stdout": workdir.stdout, "stderr": workdir.stderr}) as tail:

        def has_ended(timeout_s: float) -> bool:
            sender.flush()
            _show(progress, attempt, sender)
            return running.wait(timeout_s) is not None

        for chunk in tail.follow(has_ended):
            sender.add(Chunk(chunk.stream, chunk.offset, chunk.data))
    _show(progress, attempt, sender)
    sender.finish()
    ending = running.wait(None)
    assert ending is not None
    return ending


def note(attempt: Attempt, lines: Sequence[str], logs: Logs) -> None:
    """What HySDS itself has to say to those who follow."""
    sender = _Sender(attempt, logs)
    for line in lines:
        sender.add(Chunk("note", 0, f"{line}\n".encode()))
    sender.finish()


def _show(progress: _Progress, attempt: Attempt, sender: _Sender) -> None:
    line = progress.latest()
    if line is not None:
        attempt.show_progress(line)
        sender.add(Chunk("note", progress.offset, f"progress: {line}\n".encode()))


class _Sender:
    """Gathers chunks into few calls. A ledger that does not answer costs the live view, never the job."""

    def __init__(self, attempt: Attempt, logs: Logs) -> None:
        self._attempt = attempt
        self._logs = logs
        self._chunks: list[Chunk] = []
        self._size_bytes = 0
        self._began = False

    def add(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._size_bytes += len(chunk.data)
        if self._size_bytes >= _GATHER_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._chunks:
            return
        chunks, self._chunks, self._size_bytes = self._chunks, [], 0
        self._began = True
        try:
            self._logs.append(self._attempt.id, self._attempt.fence, chunks)
        except Unreachable:
            # A follower sees the gap by the offsets, and the file has it all.
            return

    def finish(self) -> None:
        """The end of the log; a job without output has none, and costs no call."""
        self.flush()
        if not self._began:
            return
        try:
            self._logs.finish(self._attempt.id, self._attempt.fence)
        except Unreachable:
            # Its followers learn from the ledger that the attempt is over.
            return


class _Progress:
    """The last line of the file that HYSDS_PROGRESS names: a fraction from 0 to 1, and a message."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = (0, 0)
        self.offset = 0

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
        self.offset = status.st_size
        return _last_line(self._path, status.st_size)


def _last_line(path: Path, size_bytes: int) -> str | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        tail = os.pread(fd, 4096, max(size_bytes - 4096, 0))
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
