"""A role for tests: `role.py NAME RECORD MODE…`; it writes a line to RECORD for each thing that happens to it.

Modes: `deaf` hears no SIGTERM; `second` ends at the second alone; `orphan` leaves a process in a session of its own,
and writes its pid; `silent` never tells that it is ready; `fail` prints two lines and ends with 3; `keen` asks the
ledger at its end whether it still answers (the socket's path is its working directory's `run/valkey.sock`); `broken`
ends with 4 while RECORD.broken exists; `wordy` prints 3,000 numbered lines before it is ready.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from hysds.lib import readiness
from hysds.settings import environment


def _note(record: str, text: str) -> None:
    with open(record, "a") as file:
        file.write(f"{text}\n")


def _leave_an_orphan(record: str) -> None:
    if os.fork() == 0:
        os.setsid()
        orphan = os.fork()  # SIGTERM is blocked in it
        while orphan == 0:
            signal.pause()
        _note(record, f"orphan {orphan}")
        os._exit(0)
    os.wait()


def _is_answered() -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("run/valkey.sock")
        connection.sendall(b"PING\r\n")
        return connection.recv(16) == b"+PONG\r\n"


def main(name: str, record: str, *modes: str) -> int:
    """Ready, wait, end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    if "fail" in modes:
        print("first line of the failure\nno such thing: x")
        return 3
    if "broken" in modes and os.path.exists(f"{record}.broken"):
        return 4
    if "wordy" in modes:
        print("\n".join(f"line {number}" for number in range(3_000)))
    if "orphan" in modes:
        _leave_an_orphan(record)
    if "silent" not in modes:
        readiness.tell(environment.ready_fd())
    signal.sigwait([signal.SIGTERM if "deaf" not in modes else signal.SIGUSR1])
    if "second" in modes:
        _note(record, f"{name} heard")
        signal.sigwait([signal.SIGTERM])
    answered = f" {_is_answered()}" if "keen" in modes else ""
    _note(record, f"{name} ends{answered}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
