"""A process that owns one server and outlives neither the server nor the test run.

    python -I -S watchdog.py OWNER_PID DIRECTORY COMMAND...

It runs COMMAND, prints `pid N`, and then waits for three things at once: the owner's end (a pidfd, so no
inherited pipe can hide it), the server's end, and lines on stdin: each the number of a signal to pass on, or
`end`, which kills the server. When the owner is gone it is killed too, and DIRECTORY removed, also after
`kill -9` of the owner. As a subreaper the watchdog inherits what the server left behind (RabbitMQ's epmd
daemonizes) and kills that too. If the watchdog itself is killed, the server goes by PR_SET_PDEATHSIG.

Standard library only, one thread: the fork below is safe for that reason.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def _descendants(pid: int) -> list[int]:
    """All processes below `pid`, nearest first."""
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return children + [below for child in children for below in _descendants(child)]


def _pass_on(server: subprocess.Popen[bytes], line: bytes) -> None:
    number = signal.Signals(int(line))
    server.send_signal(number)
    sys.stdout.write(f"sent {number.value}\n")
    sys.stdout.flush()


def _watch(owner: int, server: subprocess.Popen[bytes]) -> bool:
    """Serve until the owner or the server ends, or the owner says `end`; whether the owner is gone."""
    poll = select.poll()
    ended = os.pidfd_open(server.pid)
    for descriptor in (owner, ended, sys.stdin.fileno()):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if owner in ready:
            return True
        if ended in ready:
            return False
        line = sys.stdin.buffer.readline()
        if not line or line == b"end\n":
            return not line
        _pass_on(server, line)


def _kill_all_below() -> None:
    """Kill and reap until nothing is left; who forks meanwhile is found in the next round."""
    while below := _descendants(os.getpid()):
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        os.waitpid(-1, 0)  # at least one of them is a child of ours, and now ends


def main(owner_pid: int, directory: str, command: list[str]) -> int:
    """Run `command` for as long as the owner lives; its exit code, as a shell would tell it."""
    owner = os.pidfd_open(owner_pid)
    if os.getppid() != owner_pid:  # the owner ended before it could be watched
        return 1
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        preexec_fn=lambda: _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 - one thread
    )
    sys.stdout.write(f"pid {server.pid}\n")
    sys.stdout.flush()
    orphaned = _watch(owner, server)
    server.kill()
    code = server.wait()
    _kill_all_below()
    if orphaned:
        shutil.rmtree(directory, ignore_errors=True)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
