"""One attempt while it lives: its lease, its phases, and the request to stop it, which any thread may make."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from hysds.core.outcome import Outcome
from hysds.core.requests import Held, Lease
from hysds.core.spec import JobSpec, from_stored
from hysds.lib.process import ending
from hysds.ports.engines import Running

_NOTE_BYTES = 64
_UNREADABLE = JobSpec("unreadable", {})


class Stop(IntEnum):
    """Why an attempt is stopped; a greater one overrides a lesser."""

    DRAIN = 1
    """The worker goes away: the job is given back."""
    CANCEL = 2
    """Somebody asked for the job's end."""
    LOST = 3
    """The lease is somebody else's: nothing may be committed."""


class Attempt:
    """A claimed job on its way to its commit."""

    def __init__(self, lease: Lease, sure_until_s: float = math.inf, reached_s: float = 0.0) -> None:
        """On the boot-time clock: until when nobody else can have been given the lease, and when it was asked for."""
        self.record = lease.record
        self.spec, self.defect = _read(lease.spec)
        """`defect`: why the spec can't be read here; its place is then taken by one that asks for nothing."""
        self.stored_spec = lease.spec
        self.phases: list[dict[str, float | str]] = []
        self.progress = ""
        self.outcome: Outcome | None = None
        """How it ended, once that was judged; None also where it broke on its way."""
        self._phase = ""
        self._stop: Stop | None = None
        self._grace_s = 0.0
        self._running: Running | None = None
        self._lock = threading.Condition()
        self._sure_until_s = sure_until_s
        self.reached_s = reached_s
        self._claimed_at_s = ending.boot_s()

    @property
    def id(self) -> str:
        """The job's id."""
        return self.record.id

    @property
    def fence(self) -> int:
        """The lease's fence."""
        return self.record.fence

    @property
    def stopped(self) -> Stop | None:
        """Why it is to stop; None: it is not."""
        return self._stop

    @property
    def phase(self) -> str:
        """What it does now."""
        return self._phase

    def ledger_s(self, boot_s: float | None = None) -> float:
        """The ledger's wall-clock time, in seconds since 1970, at a moment of this host's boot-time clock; None: now.

        This host's own wall clock may be hours off, or set meanwhile.
        """
        moment_s = ending.boot_s() if boot_s is None else boot_s
        return self.record.started_ms / 1000 + moment_s - self._claimed_at_s

    def deadline_in_s(self, boot_s: float | None = None) -> float | None:
        """How far off the job's deadline is at a moment of the boot-time clock (None: now); None where it has none."""
        if not self.record.deadline_ms:
            return None
        return self.record.deadline_ms / 1000 - self.ledger_s(boot_s)

    @property
    def sure_until_s(self) -> float:
        """Until when, on the boot-time clock, the lease is ours for certain."""
        return self._sure_until_s

    def renewed(self, until_s: float) -> None:
        """The ledger has said that the lease is ours, so it is until then."""
        with self._lock:
            self._sure_until_s = until_s
            self._lock.notify_all()

    def unanswered(self, asked_s: float, until_s: float) -> None:
        """A renewal of that moment found no ledger. For how long jobs go on without one is the engine's to decide
        (`isolation_limit`); but where the worker itself had stood still, only an answer makes the lease sure again.
        """
        with self._lock:
            if asked_s < self._sure_until_s:
                self._sure_until_s = until_s

    def await_sure(self) -> None:
        """Until the lease is ours for certain, or the attempt is to stop: a worker that stood still for longer than a
        lease, and goes on, must not start what another has long done.
        """
        with self._lock:
            while self._stop is None and ending.boot_s() >= self._sure_until_s:
                self._lock.wait()

    def held(self) -> Held:
        """Its line in a renewal."""
        return Held(self.id, self.fence, self._phase, self.progress)

    @contextmanager
    def entering(self, phase: str) -> Iterator[None]:
        """A phase of the attempt, with its times (seconds since 1970, on the ledger's clock)."""
        self._phase = phase
        start = self.ledger_s()
        try:
            yield
        finally:
            self.phases.append({"name": phase, "start": start, "end": self.ledger_s()})

    def attach(self, running: Running) -> None:
        """From now on a stop reaches the workload; one that came before reaches it at once."""
        with self._lock:
            self._running = running
            if self._stop is not None:
                running.stop(self._grace_s, self._stop.name.lower())

    def detach(self) -> None:
        """The workload has ended."""
        with self._lock:
            self._running = None

    def stop(self, why: Stop, grace_s: float) -> None:
        """Ask for its end. Returns at once; a repeated or lesser reason changes nothing."""
        with self._lock:
            if self._stop is not None and self._stop >= why:
                return
            self._stop, self._grace_s = why, grace_s
            self._lock.notify_all()
            if self._running is not None:
                self._running.stop(grace_s, why.name.lower())

    def show_progress(self, line: str) -> None:
        """What the command says of its progress, cut to what a record holds."""
        self.progress = line.encode()[:_NOTE_BYTES].decode(errors="ignore")


def _read(stored: str) -> tuple[JobSpec, str]:
    """The spec, and what is wrong with it: one of a later version may hold what this worker does not know."""
    try:
        return from_stored(stored), ""
    except (ValueError, TypeError, AttributeError) as error:
        return _UNREADABLE, f"{type(error).__name__}: {error}"
