"""What a benchmark starts and surely ends: a directory of its own, and processes, each ended by its own id."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The repository: children find `hysds` and `benchmarks` there, whether or not they are installed."""

_ENDS_WITHIN_S = 15.0


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A new directory whose path is short enough for unix sockets (107 bytes).

    It goes when this program ends, the server's data at once. For minutes ext4 without a journal passes over each inode
    that was freed, one by one, when it looks for a new one: jobs of a benchmark that follows the removal of another's
    directories took 10 ms in the kernel in place of 1.5.
    """
    path = Path(tempfile.mkdtemp(prefix="hysds-bench-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    try:
        yield path
    finally:
        shutil.rmtree(path / "valkey", ignore_errors=True)


def environment(**variables: str) -> dict[str, str]:
    """What a child finds: nothing of HySDS's or Celery's that the caller has set, and these variables."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return inherited | {"PYTHONPATH": str(ROOT)} | variables


@contextlib.contextmanager
def running(
    command: Sequence[str], home: Path, variables: Mapping[str, str], log: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process while the block runs, in a session of its own; its output goes to `home/log`."""
    with (home / log).open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


class CouldNotStart(RuntimeError):
    """A process that a benchmark needs ended early or did not get ready; the message holds the end of its log."""

    def __init__(self, what: str, log: Path) -> None:
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        super().__init__(f"{what}; the end of its log:\n{tail}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM; SIGKILL to its session for one that does not heed it."""
    process.terminate()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
