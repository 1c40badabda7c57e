"""Carries faults out: each on a process that is there, one at a time for each worker, noted with whom it hit."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hysds.chaos.arena import INDEXER, RECONCILER, SERVER, STOPPED_S, Arena, worker
from hysds.chaos.asking import QUEUES
from hysds.chaos.plan import STOPS, Fault, FaultKind
from hysds.core.errors import Unreachable
from hysds.core.floor_requests import Drain
from hysds.lib.process.guard import tree

_DRAINED_S = 2.0


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that was carried out. `at_s`: since the run began. `hit`: names and pids."""

    fault: Fault
    at_s: float
    hit: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Later:
    """What ends a fault that lasts: a signal to those that were stopped, or an order taken back."""

    at_s: float
    worker: int
    pids: tuple[int, ...] = ()
    drained: str = ""


class Faults:
    """The faults of one run. `clock_s` counts seconds and never goes back."""

    def __init__(self, arena: Arena, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._arena = arena
        self._household = arena.household
        self._clock_s = clock_s
        self._began_s = clock_s()
        self._later: list[_Later] = []
        self._killed: set[int] = set()
        self.injected: list[Injected] = []

    def inject(self, fault: Fault) -> bool:
        """Carry it out, on the worker that it names or else on the next; False where nobody is there that it could
        hit, or every worker still suffers another.
        """
        workers = self._arena.size.workers
        for number in [(fault.worker + step) % workers for step in range(workers)]:
            if fault.kind in _OF_WORKERS and any(later.worker == number for later in self._later):
                continue
            try:
                hit = self._carry_out(fault.kind, number)
            except (OSError, Unreachable):
                return False
            if hit:
                self.injected.append(Injected(fault, self._clock_s() - self._began_s, tuple(hit)))
                return True
        return False

    def end_due(self) -> None:
        """Let those go on whose time has come."""
        for later in [one for one in self._later if one.at_s <= self._clock_s()]:
            try:
                if later.drained:
                    self._arena.system.ledger.undrain(later.drained)
            except Unreachable:
                continue  # the next round asks again
            for pid in later.pids:
                tree.tell(pid, signal.SIGCONT)
            self._household.waker.forget(later.pids)
            self._later.remove(later)

    def ends_of(self, name: str) -> int:
        """How often faults have ended the process of this name."""
        return sum(
            hit.split()[0] == name for one in self.injected if one.fault.kind not in STOPS for hit in one.hit
        )

    def end_all(self) -> None:
        """Let everybody go on now."""
        self._later = [replace(later, at_s=0.0) for later in self._later]
        self.end_due()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing that was begun is still to end."""
        return not self._later

    def _carry_out(self, kind: FaultKind, number: int) -> list[str]:
        name = worker(number)
        if kind in _SINGLE:
            return self._kill({_SINGLE[kind]: [self._household.pid(_SINGLE[kind])]})
        if kind is FaultKind.LOSE_BELLS:
            return [f"{queue}: {self._arena.server.send(1, 'DEL', queue)}" for queue in QUEUES]
        if kind is FaultKind.DRAIN_WORKER:
            return self._drain(number)
        if kind is FaultKind.RESTART_WORKER:
            return self._tell({name: [self._household.pid(name)]}, signal.SIGTERM)
        band: dict[str, list[int | None]] = {
            "keeper": [*self._household.below(name, "keeper")],
            "guardian": [*self._household.below(name, "guardian")],
            name: [self._household.pid(name)],
        }
        if not all(band[one] for one in _NEEDED.get(kind, ())):
            return []
        if kind in STOPS:
            return self._stop(number, {one: band[one] for one in _hit_by(kind, name)})
        if kind is FaultKind.KILL_KEEPER:
            band["keeper"] = band["keeper"][:1]
        return self._kill({one: band[one] for one in _hit_by(kind, name)})

    def _kill(self, victims: Mapping[str, list[int | None]]) -> list[str]:
        """Nobody is killed twice: one that is dying is there no more."""
        living = {name: [pid for pid in found if pid not in self._killed] for name, found in victims.items()}
        hit = self._tell(living, signal.SIGKILL)
        self._killed.update(int(one.split()[1]) for one in hit)
        return hit

    def _tell(self, victims: Mapping[str, list[int | None]], number: signal.Signals) -> list[str]:
        """All of them as nearly at once as can be, the lowest first: nobody above sees them go."""
        pids = [(name, pid) for name, found in victims.items() for pid in found if pid is not None]
        if not all(any(one == name for one, _ in pids) for name in victims):
            return []
        return [f"{name} {pid}" for name, pid in pids if tree.tell(pid, number)]

    def _stop(self, number: int, victims: Mapping[str, list[int | None]]) -> list[str]:
        self._household.waker.watch(pid for found in victims.values() for pid in found if pid is not None)
        hit = self._tell(victims, signal.SIGSTOP)
        if hit:
            pids = tuple(int(one.split()[1]) for one in hit)
            self._later.append(_Later(self._clock_s() + STOPPED_S, number, pids))
        return hit

    def _drain(self, number: int) -> list[str]:
        ledger, called = self._arena.system.ledger, worker(number)
        names = [state.name for state in ledger.workers() if state.name.partition("@")[0] == called]
        if not names:
            return []
        ledger.drain(Drain(names[0], "chaos", ledger.now_ms(), 0))
        self._later.append(_Later(self._clock_s() + _DRAINED_S, number, drained=names[0]))
        return [names[0]]


_SINGLE = {
    FaultKind.KILL_SERVER: SERVER,
    FaultKind.KILL_INDEXER: INDEXER,
    FaultKind.KILL_RECONCILER: RECONCILER,
}
_OF_WORKERS = frozenset(FaultKind) - frozenset(_SINGLE) - {FaultKind.LOSE_BELLS}
_NEEDED = {
    FaultKind.KILL_GUARDIAN: ("guardian",),
    FaultKind.KILL_KEEPER: ("keeper",),
    FaultKind.KILL_BAND: ("keeper", "guardian"),
    FaultKind.STOP_WORKER: ("keeper",),
    FaultKind.STOP_GUARDIAN: ("keeper", "guardian"),
    FaultKind.STOP_BOTH: ("keeper", "guardian"),
}
"""Who must be there: a fault without a job under way would show nothing."""


def _hit_by(kind: FaultKind, name: str) -> tuple[str, ...]:
    """Whom a fault of a worker hits: the names in its band, the lowest first."""
    if kind is FaultKind.KILL_KEEPER:
        return ("keeper",)
    if kind in (FaultKind.KILL_GUARDIAN, FaultKind.STOP_GUARDIAN):
        return ("guardian",)
    if kind is FaultKind.KILL_BAND:
        return ("keeper", "guardian", name)
    if kind is FaultKind.STOP_BOTH:
        return ("guardian", name)
    return (name,)
