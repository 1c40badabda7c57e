"""What runs a workload: a guarded process here, a container elsewhere.

An engine promises that when `wait` answers, nothing of the workload lives any more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hysds.lib.process.ending import Ending, Reason


@dataclass(frozen=True, slots=True)
class Workload:
    """One command to run. Limits are seconds from its start, and bytes for all of its processes together."""

    id: str
    """Of the attempt, unique on the host: engines name and label what they start with it."""
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    """All of its environment."""
    stdout: Path
    stderr: Path
    soft_limit_s: float | None
    hard_limit_s: float
    memory_bytes: int | None
    start_by_s: float = math.inf
    """On the boot-time clock: it must not be started later, however long the engine stood still before."""
    reached_s: float = 0.0
    """On the boot-time clock: when the ledger was asked for this workload. An isolation of the worker counts from then
    at the earliest, as no renewal may have told of its end yet."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """Those of its variables that tell its processes from all others on the host."""


@dataclass(frozen=True, slots=True)
class Play:
    """How a workload ends, and what it writes before."""

    exit_code: int = 0
    stdout: bytes = b""
    stderr: bytes = b""
    reason: Reason = Reason.EXITED


class Running(Protocol):
    """A started workload. Any thread may call any method."""

    @property
    def pid(self) -> int | None:
        """The command's process id on this host; None where it could not be started."""

    def wait(self, timeout_s: float | None) -> Ending | None:
        """Its end, once nothing of it lives; None if that is not within the timeout (None: wait for ever)."""

    def stop(self, grace_s: float, reason: str) -> None:
        """SIGTERM to all of it, SIGKILL after the grace. Returns at once; `wait` tells the end."""

    def close(self) -> None:
        """Let go of it; what still runs is killed."""


class Engine(Protocol):
    """Starts workloads, and ends them all when this worker dies, hangs, or is cut off for too long."""

    def prepare(self) -> None:
        """Get ready; call it before the process has threads."""

    def start(self, workload: Workload) -> Running:
        """Start a workload; one whose program can't be started ends at once and says so.

        Raises: OSError when its output files can't be opened.
        """

    def beat(self) -> None:
        """The worker is alive. Without a beat for a lease, all workloads are ended."""

    def isolated(self, since_boot_s: float) -> None:
        """The worker has not reached the ledger since then (boot-time clock); too long, and workloads are ended."""

    def connected(self) -> None:
        """It reaches the ledger again."""

    def close(self) -> None:
        """End all workloads, and whatever guards them."""
