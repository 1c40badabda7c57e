"""A cell of the matrix: a role is killed at a step of one job's way, is started again, and the job ends."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hysds.chaos import checker
from hysds.chaos.history import Asked, Document, History, Kind, Leftover, Listed, Terms
from hysds.core.document import document
from hysds.core.errors import Unreachable
from hysds.core.status import Status
from hysds.ports.ledger import Kept
from worlds.faults import client, workload
from worlds.faults.steps import Step, Way
from worlds.faults.system import QUEUE, FaultySystem

_AFFECT_OTHERS = ("worker", "guardian", "keeper")
_GO_ON = (Way.RUNS_ON, Way.RENEWS)
_ANSWER_WITHIN_S = 60.0
_WAITS = timedelta(seconds=0.7)


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
    """The job's way to the strike and through it; from then on it ends by itself."""
    if cell.step.way in (Way.PLAIN, Way.RINGS, Way.WAITS):
        system.open_gate(cell.job_id)
    asking = _approach(system, cell)
    _await_strike(system, cell, asking)
    system.revive_server(cell.role)
    system.supervise()
    asking.done(_ANSWER_WITHIN_S)
    if cell.step.way is Way.DRAINED or (cell.step.way in _GO_ON and cell.role in _AFFECT_OTHERS):
        # Behind a shut gate: the attempt that was lost did not just come to its end.
        system.until(lambda: _begins_again(system, cell), lambda: f"{cell.name}: no second attempt begins")
    if cell.step.way is not Way.CANCELLED:
        system.open_gate(cell.job_id)
    if cell.leaving is not None and cell.role != "worker":
        code = _left_with(system, cell, cell.leaving)
        cell.found += [f"the worker that was asked to leave ended with {code}"] * bool(code)


def _approach(system: FaultySystem, cell: Cell) -> client.Insisting:
    """Do what brings the job to the step; answers what is being asked."""
    way, job_id = cell.step.way, cell.job_id
    fields = {"not_before": (datetime.now(UTC) + _WAITS).isoformat()} if way is Way.WAITS else {}
    if way is not Way.RENEWS:
        system.arms.arm(cell.step.name, job_id, cell.role)
    asking = client.Insisting(lambda: _submit(system, cell, fields))
    if way not in (Way.RENEWS, Way.CANCELLED, Way.DRAINED):
        return asking
    asking.done(_ANSWER_WITHIN_S)
    system.until(lambda: system.has_begun(job_id), lambda: f"{cell.name}: the job does not begin")
    if way is Way.RENEWS:
        system.arms.arm(cell.step.name, job_id, cell.role)
        return asking
    return client.Insisting(lambda: _interrupt(system, cell))


def _begins_again(system: FaultySystem, cell: Cell) -> bool:
    system.supervise()
    return system.attempts(cell.job_id) > 0 and system.has_begun(cell.job_id)


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

    system.until(told, lambda: f"{cell.name}: nobody ever came to this step; {system.standing(cell.job_id)}")
    struck = system.arms.told(cell.step.name) or {}
    assert "error" not in struck, f"{cell.name}: what a fault point looks at has changed: {struck['error']}"
    assert struck["pid"] is not None, f"{cell.name}: there was nobody to kill"


def _left_with(system: FaultySystem, cell: Cell, leaving: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a worker once it has left. Its job may end meanwhile elsewhere, and be forgotten after 2 s."""

    def has_left() -> bool:
        _has_ended(system, cell)
        return leaving.poll() is not None

    system.until(has_left, lambda: f"{cell.name}: the worker does not leave")
    return leaving.returncode


def _ends(system: FaultySystem, cell: Cell) -> bool:
    system.supervise()
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
