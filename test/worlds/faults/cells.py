"""The matrix: a column a step of a job's way, a row a role that is killed at that step, and what holds afterwards."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from hysds.chaos import checker
from hysds.chaos.history import Asked, Document, History, Kind, Leftover, Listed, Terms
from hysds.core.document import document
from hysds.core.errors import Unreachable
from hysds.core.status import Status
from hysds.ports.ledger import Kept
from worlds.faults import client, workload
from worlds.faults.system import QUEUE, FaultySystem

ROLES = ("worker", "guardian", "keeper", "indexer", "reconciler", "valkey", "rabbitmq")
_AFFECT_OTHERS = ("worker", "guardian", "keeper")
_ANSWER_WITHIN_S = 60.0
_WAITS = timedelta(seconds=0.7)


class Way(Enum):
    """What a job's way is beside submit, run, end."""

    PLAIN = auto()
    RUNS_ON = auto()
    """It goes on until the fault was struck."""
    WAITS = auto()
    """It may not start at once."""
    RINGS = auto()
    """A bell is rung although somebody has heard of it already: between announced workers none would be."""
    CANCELLED = auto()
    DRAINED = auto()
    """Its worker is asked to leave while it runs."""


@dataclass(frozen=True)
class Step:
    """One column. `name` is the moment's."""

    name: str
    where: str
    """Whose process is at this step."""
    way: Way = Way.PLAIN


STEPS = (
    Step("accept sent", "client"),
    Step("accept applied", "client"),
    Step("woken", "reconciler", Way.WAITS),
    Step("bell rung", "client", Way.RINGS),
    Step("bell heard", "worker", Way.RINGS),
    Step("claim sent", "worker"),
    Step("claim answered", "worker"),
    Step("directory made", "worker"),
    Step("files written", "worker"),
    Step("spawn asked", "worker"),
    Step("keeper forked", "keeper"),
    Step("command spawned", "keeper"),
    Step("output flows", "worker", Way.RUNS_ON),
    Step("renewal sent", "worker", Way.RUNS_ON),
    Step("command ended", "keeper"),
    Step("processes gone", "keeper"),
    Step("findings read", "worker"),
    Step("commit sent", "worker"),
    Step("commit applied", "worker"),
    Step("event read", "indexer"),
    Step("document written", "indexer"),
    Step("confirmed", "indexer"),
    Step("forgotten", "reconciler"),
    Step("cancel asked", "client", Way.CANCELLED),
    Step("cancel heard", "worker", Way.CANCELLED),
    Step("release sent", "worker", Way.DRAINED),
    Step("release applied", "worker", Way.DRAINED),
)


@dataclass
class Cell:
    """One job, and what became of it."""

    step: Step
    role: str
    job_id: str
    found: list[str] = field(default_factory=list)
    """What was wrong."""
    shown: str = ""
    """What the table says, once the job has ended."""
    asked: Asked | None = None
    last: Kept | None = None
    """Its record at its end."""
    leaving: subprocess.Popen[bytes] | None = None
    """The worker that was asked to leave."""

    @property
    def name(self) -> str:
        """As in the table."""
        return f"{self.role} at {self.step.name}"


def run(system: FaultySystem, step: Step, role: str) -> Cell:
    """Kill a role at a step of a new job, have it started again, and follow the job to its end.

    Raises: AssertionError where the step never came, or the job never ended.
    """
    system.settle()
    cell = Cell(step, role, system.new_id())
    bystander = system.attempts(system.bystander)
    system.arms.disarm(step.name)
    system.arms.arm(step.name, cell.job_id, role)
    _live(system, cell)
    system.until(lambda: _ends(system, cell), lambda: f"{cell.name}: job {cell.job_id} does not end")
    system.until(lambda: not _left(system, cell), lambda: f"{cell.name}: {_left(system, cell)}")
    assert cell.last is not None
    ended = cell.last
    cell.asked = Asked(
        cell.job_id,
        steps=workload.STEPS,
        ends=frozenset({Status.REVOKED if step.way is Way.CANCELLED else Status.COMPLETED}),
        cancel="job-started" if step.way is Way.CANCELLED else "",
    )
    cell.shown = f"{ended.record.status.value.removeprefix('job-')}, {_attempts(len(ended.attempts))}"
    if role not in _AFFECT_OTHERS and step.way is not Way.DRAINED:
        again = system.attempts(system.bystander) - bystander
        cell.found += [f"{again} attempts of a job that it was not about were lost"] * bool(again)
    return cell


def judge(system: FaultySystem, cell: Cell) -> list[str]:
    """What is wrong with a job that has ended, its document included; empty where nothing is."""
    assert cell.asked is not None
    assert cell.last is not None
    events = system.watcher.of(cell.job_id)
    documents = {cell.job_id: shown} if (shown := _stored(system, cell.job_id)) is not None else {}
    left = tuple(Leftover(Kind.KEY, what, cell.job_id) for what in _left(system, cell))
    terms = Terms()
    history = History(
        (cell.asked,), events, system.effects(cell.job_id), documents, leftovers=left, terms=terms
    )
    wrong = [violation.text() for violation in checker.check(history)]
    last = cell.last
    built = document(last.record, last.spec, last.attempts, last.error)
    if system.system.store.get([cell.job_id])[0] != built:
        wrong.append("the store's document is not the ledger's")
    return [*cell.found, *wrong]


def bystander(system: FaultySystem) -> Cell:
    """The job of long standing, once its gate was opened and it has ended."""
    cell = Cell(Step("no step", "nobody"), "nobody", system.bystander)
    system.until(lambda: _ends(system, cell), lambda: "the bystander does not end")
    cell.asked = Asked(cell.job_id, steps=workload.STEPS, ends=frozenset({Status.COMPLETED}))
    return cell


def _live(system: FaultySystem, cell: Cell) -> None:
    """The job's way, with the fault on it."""
    way, job_id = cell.step.way, cell.job_id
    fields = {"not_before": (datetime.now(UTC) + _WAITS).isoformat()} if way is Way.WAITS else {}
    if way in (Way.PLAIN, Way.RINGS, Way.WAITS):
        system.open_gate(job_id)
    asking = client.Insisting(lambda: _submit(system, cell, fields))
    if way in (Way.CANCELLED, Way.DRAINED):
        asking.done(_ANSWER_WITHIN_S)
        system.until(lambda: system.has_begun(job_id), lambda: f"{cell.name}: the job does not begin")
        asking = client.Insisting(lambda: _interrupt(system, cell))
    _await_strike(system, cell, asking)
    system.revive_server(cell.role)
    system.supervise()
    asking.done(_ANSWER_WITHIN_S)
    if way is not Way.CANCELLED:
        system.open_gate(job_id)
    if cell.leaving is not None and cell.role != "worker":
        code = cell.leaving.wait(_ANSWER_WITHIN_S)
        cell.found += [f"the worker that was asked to leave ended with {code}"] * bool(code)


def _submit(system: FaultySystem, cell: Cell, fields: dict[str, str]) -> None:
    system.submit(cell.job_id, **fields)
    if cell.step.way is Way.RINGS:
        _ring(system)


def _ring(system: FaultySystem) -> None:
    try:
        system.bell.ring(QUEUE, 1)
    except Unreachable:
        return  # it is a courtesy


def _interrupt(system: FaultySystem, cell: Cell) -> None:
    if cell.step.way is Way.CANCELLED:
        system.client.cancel([cell.job_id])
    else:
        cell.leaving = system.worker_of(cell.job_id).terminate()


def _await_strike(system: FaultySystem, cell: Cell, asking: client.Insisting) -> None:
    def told() -> bool:
        asking.look()
        _has_ended(system, cell)  # its record may be gone by the time of the strike
        return system.arms.told(cell.step.name) is not None

    system.until(told, lambda: f"{cell.name}: nobody ever came to this step")
    struck = system.arms.told(cell.step.name) or {}
    assert "error" not in struck, f"{cell.name}: what a fault point looks at has changed: {struck['error']}"
    assert struck["pid"] is not None, f"{cell.name}: there was nobody to kill"


def _ends(system: FaultySystem, cell: Cell) -> bool:
    system.supervise()  # a drained worker has left by now
    return _has_ended(system, cell)


def _has_ended(system: FaultySystem, cell: Cell) -> bool:
    kept = system.kept(cell.job_id)
    if kept is not None and kept.record.status.is_terminal:
        cell.last = kept
    return cell.last is not None


def _left(system: FaultySystem, cell: Cell) -> list[str]:
    assert cell.last is not None
    return list(system.left_of(cell.last))


def _stored(system: FaultySystem, job_id: str) -> Document | None:
    [found] = system.system.store.get([job_id])
    if found is None:
        return None
    listed = tuple(
        Listed(attempt["fence"], attempt["how"]) for attempt in found["attempts"] if "how" in attempt
    )
    return Document(job_id, found["revision"], found["status"], found["fence"], listed)


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"
