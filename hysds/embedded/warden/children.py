"""The warden's children: started so that they never outlive it, watched by descriptors, told one by one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from hysds.embedded.warden.plan import Start
from hysds.lib.process.guard import tree

_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """A started process. `ended` becomes readable with its end, `ready` with its readiness, while that is awaited."""

    start: Start
    process: subprocess.Popen[bytes]
    ended: int
    ready: int | None
    killed: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether its end has not been seen yet."""
        return self.process.returncode is None

    def ask(self) -> None:
        """SIGTERM; then SIGCONT, as a stopped process could not act on it."""
        for number in (signal.SIGTERM, signal.SIGCONT):
            self._tell(number)

    def kill(self) -> None:
        """SIGKILL."""
        self.killed = True
        self._tell(signal.SIGKILL)

    def take_end(self) -> int:
        """Reap it; its exit code, negative for a signal."""
        code = self.process.wait()
        os.close(self.ended)
        if self.ready is not None:
            os.close(self.ready)
            self.ready = None
        return code

    def take_ready(self) -> bool:
        """Read what it says of its readiness; the pipe is closed after it."""
        if self.ready is None:
            return False
        said = os.read(self.ready, 64)
        os.close(self.ready)
        self.ready = None
        return bool(said)

    def _tell(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.ended, number)


class Spawner:
    """Starts children that the kernel kills when this process dies. Only for a process of one thread."""

    def __init__(self, directory: str, ready_variable: str) -> None:
        self._directory = directory
        self._ready_variable = ready_variable
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl
        self._prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]

    def spawn(self, start: Start, output: int, kept: tuple[int, ...] = ()) -> Child:
        """Start a process whose stdout and stderr are `output`; it inherits `kept`, and nothing else.

        Raises: OSError when its program can't be run, or nothing more can be opened.
        """
        env = dict(start.env)
        ours, theirs = os.pipe() if start.tells_ready else (None, None)
        if theirs is not None:
            env[self._ready_variable] = str(theirs)
        try:
            process = subprocess.Popen(
                start.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._directory,
                env=env,
                umask=start.umask,
                pass_fds=kept if theirs is None else (*kept, theirs),
                preexec_fn=self._dies_with(os.getpid()),  # noqa: PLW1509 - this process has one thread
            )
            return Child(start, process, _watched(process), ours)
        except BaseException:
            if ours is not None:
                os.close(ours)
            raise
        finally:
            if theirs is not None:
                os.close(theirs)

    def _dies_with(self, parent: int) -> Callable[[], None]:
        def before_exec() -> None:
            self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # it died before the kernel knew that we want to be told
                os._exit(1)

        return before_exec


def _watched(process: subprocess.Popen[bytes]) -> int:
    """A descriptor of it; where there is none left, the process can't be looked after and does not stay."""
    try:
        return os.pidfd_open(process.pid)
    except BaseException:
        process.kill()
        process.wait()
        raise


def strangers(known: set[int]) -> list[int]:
    """Children of this process that it did not start: orphans from below, handed to it as the subreaper."""
    return [pid for pid in tree.children(os.getpid()) if pid not in known]


def reap(pids: list[int]) -> None:
    """Take those of these children that have ended."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
