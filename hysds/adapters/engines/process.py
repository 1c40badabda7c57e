"""Workloads as guarded processes of this host.

A guardian that dies takes its commands with it; each of them ends with a reason that says so, and the next
workload starts a new guardian.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from hysds.adapters.engines.base import EngineSettings
from hysds.lib.process import leftovers, suspects
from hysds.lib.process.child import Child
from hysds.lib.process.command import Command, Limits
from hysds.lib.process.ending import Ending
from hysds.lib.process.guardian import Guardian, GuardianGone, Watchfulness
from hysds.lib.process.leftovers import Marks
from hysds.ports.engines import Running, Workload

_KILLED_WITHIN_S = 1.0


class GuardedRun:
    """A command under its keeper. What a keeper leaves that was killed together with the guardian is ended here.

    While a process lives that may be the command's, and may not be, `all_gone` of the ending stays False.
    """

    def __init__(self, child: Child, marks: Marks) -> None:
        self._child = child
        self._marks = marks
        self._lock = threading.Lock()
        self._is_clear = False

    @property
    def pid(self) -> int | None:
        """The command's pid."""
        return self._child.pid

    def wait(self, timeout_s: float | None) -> Ending | None:
        """Its end, once nothing of it lives."""
        ending = self._child.wait(timeout_s)
        if ending is None or ending.all_gone or not self._marks.variables:
            return ending
        while not self._end_leftovers(timeout_s):
            if not leftovers.find(self._marks):
                return ending  # to wait for what may be somebody else's could take for ever
            if timeout_s is not None:
                return None
        return replace(ending, all_gone=True)

    def stop(self, grace_s: float, reason: str) -> None:
        """Ask for its end."""
        self._child.stop(grace_s, reason)

    def close(self) -> None:
        """Let go of it; what still runs is killed."""
        self._child.close()

    def _end_leftovers(self, timeout_s: float | None) -> bool:
        with self._lock:
            self._is_clear = self._is_clear or leftovers.end(self._marks, timeout_s or _KILLED_WITHIN_S)
            return self._is_clear


class ProcessEngine:
    """Runs each workload under a keeper of its own."""

    def __init__(self, settings: EngineSettings) -> None:
        self._watchfulness = Watchfulness(
            silence_limit_s=settings.silence_limit_s,
            isolation_limit_s=settings.isolation_limit_s,
            on_gone=settings.on_gone,
            on_gone_env=settings.on_gone_env,
            marks=settings.marks,
        )
        self._lock = threading.Lock()
        self._guardian: Guardian | None = None
        self._isolated_since_s: float | None = None
        self._is_closed = False

    def prepare(self) -> None:
        """Start the guardian."""
        self._living()

    def start(self, workload: Workload) -> Running:
        """Run a command; see the port."""
        command = Command(
            argv=workload.argv,
            cwd=workload.cwd,
            stdout=workload.stdout,
            stderr=workload.stderr,
            env=workload.env,
            limits=Limits(workload.soft_limit_s, workload.hard_limit_s, workload.memory_bytes),
            start_by_s=workload.start_by_s,
            reached_s=workload.reached_s,
        )
        marks = Marks(workload.marks, (workload.stdout, workload.stderr), suspects.origin())
        guardian = self._living()
        try:
            return GuardedRun(guardian.spawn(command), marks)
        except GuardianGone:
            # It died after we looked, or it has given this worker up, silent for too long, and tells the ledger before
            # it exits. Nothing of this command ran: the next guardian takes it.
            return GuardedRun(self._living(instead_of=guardian).spawn(command), marks)

    def beat(self) -> None:
        """A sign of life for the guardian."""
        with self._lock:
            if self._guardian is not None:
                self._guardian.beat()

    def isolated(self, since_boot_s: float) -> None:
        """The time without a ledger began then."""
        with self._lock:
            self._isolated_since_s = since_boot_s
            if self._guardian is not None:
                self._guardian.isolated(since_boot_s)

    def connected(self) -> None:
        """It is over."""
        with self._lock:
            if self._guardian is not None and self._isolated_since_s is not None:
                self._guardian.connected()
            self._isolated_since_s = None

    def close(self) -> None:
        """End everything; the guardian exits without `on_gone`, and none follows it."""
        with self._lock:
            self._is_closed = True
            if self._guardian is not None:
                self._guardian.close()
            self._guardian = None

    def _living(self, instead_of: Guardian | None = None) -> Guardian:
        with self._lock:
            if self._is_closed:
                raise GuardianGone("the engine was closed: this worker is ending")
            if self._guardian in (None, instead_of) or not self._guardian.is_alive():
                self._guardian = Guardian.start(self._watchfulness)
                if self._isolated_since_s is not None:
                    self._guardian.isolated(self._isolated_since_s)
            return self._guardian
