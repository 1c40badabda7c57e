"""The command of a chaos job: it leaves effects, each with its fence and time, and ends as its kind does.

    python -I -S workload.py DIRECTORY KIND STEPS PAUSE_S

Run inside the job, by path, with the standard library alone. Each effect is one line, appended in one write (O_APPEND),
so that the order of lines is the order in which they were written, across all processes of a host:

    <job id> <fence> <mark> <number> <boot µs> <wall µs> <pid>

Kinds: `plain` ends well; `fails` ends with 1 after its first step; `retries` ends once with 75, then well; `forks`
leaves a child in a session of its own that goes on for ever; `stubborn` ignores SIGTERM, and so does its child.
"""

from __future__ import annotations

import os
import signal
import sys
import time

AGAIN = 75
"""The exit code of an attempt that wants another (EX_TEMPFAIL)."""
STRAY_EVERY_S = 0.01


class Book:
    """The effects of one job; this process writes those of one attempt."""

    def __init__(self, directory: str, job_id: str, fence: str) -> None:
        self._path = os.path.join(directory, job_id)
        self._who = f"{job_id} {fence}"

    def note(self, mark: str, number: int = 0) -> None:
        """Append one effect."""
        boot_us = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
        line = f"{self._who} {mark} {number} {boot_us} {time.time_ns() // 1000} {os.getpid()}\n"
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)

    def has_failed(self) -> bool:
        """Whether an attempt of this job failed on purpose before."""
        try:
            with open(self._path, encoding="ascii") as lines:
                return any(line.split()[2] == "fail" for line in lines)
        except FileNotFoundError:
            return False


def main(directory: str, kind: str, steps: int, pause_s: float) -> int:
    """One attempt; the exit code of the command."""
    job = os.environ  # noqa: TID251 - this runs inside a job, whose environment says which one it is
    book = Book(directory, job["HYSDS_JOB_ID"], job["HYSDS_JOB_FENCE"])
    is_tried_again = kind == "retries" and not book.has_failed()
    if kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    book.note("begin")
    if kind in ("forks", "stubborn"):
        _leave_child(book)
    for number in range(1, steps + 1):
        time.sleep(pause_s)
        book.note("step", number)
        if kind == "fails" or is_tried_again:
            book.note("fail")
            return AGAIN if is_tried_again else 1
    book.note("end")
    return 0


def _leave_child(book: Book) -> None:
    """A grandchild in a session of its own, with nobody for a parent, that writes until it is killed."""
    if os.fork():
        os.wait()
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    while True:
        time.sleep(STRAY_EVERY_S)
        book.note("stray")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
