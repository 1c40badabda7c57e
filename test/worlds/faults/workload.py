"""What the jobs do: begin, two steps and an end, each one line of the effects file; between the steps wait for a gate.

A program of its own, for a bare interpreter: `python -I -S workload.py <effects> <gate>`.
"""

from __future__ import annotations

import os
import sys
import time

STEPS = 2


def main(effects: str, gate: str) -> None:
    """Each line in one write to a file that is only ever appended to."""
    fd = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    _say(fd, "begin", 0)
    _say(fd, "step", 1)
    sys.stdout.write("works\n")
    sys.stdout.flush()
    while not os.path.exists(gate):
        time.sleep(0.01)
    _say(fd, "step", 2)
    _say(fd, "end", 0)


def _say(fd: int, mark: str, number: int) -> None:
    boot_us = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    wall_us = time.time_ns() // 1000
    line = f"{os.environ['HYSDS_JOB_FENCE']} {mark} {number} {boot_us} {wall_us} {os.getpid()}\n"
    os.write(fd, line.encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
