"""The fault matrix: each role is killed at each step of a job's way, and the job ends once, as asked, with its effects.

`docs/fault-matrix.md` shows what became of the jobs; FAULT_MATRIX=write in the environment has it written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from worlds.faults import cells, table
from worlds.faults.cells import Cell
from worlds.faults.steps import ROLES, STEPS, Step
from worlds.faults.system import FaultySystem

# RabbitMQ takes its time to come back: it is killed first, and the other cells of the step pass meanwhile.
_CELLS = [
    pytest.param(step, role, id=f"{step.name}-{role}".replace(" ", "-"))
    for step in STEPS
    for role in sorted(ROLES, key=lambda role: role != "rabbitmq")
]
Done = list[tuple[FaultySystem, Cell]]


@pytest.fixture(scope="session")
def run_cells() -> Done:
    """The cells that were run so far, each with its system."""
    return []


@pytest.fixture
def done(run_cells: Done) -> Done:
    """The cells that were run; without any there is nothing to say of them."""
    if not run_cells:
        pytest.skip("no cell of the matrix was run: this looks back at them")
    return run_cells


@pytest.mark.parametrize(("step", "role"), _CELLS)
def test_a_job_ends_once_whoever_is_killed_at_a_step_of_its_way(
    step: Step, role: str, request: pytest.FixtureRequest, run_cells: Done
) -> None:
    """It ends as asked, and of the attempts that were lost nothing is left: no process, no key, no directory."""
    system: FaultySystem = request.getfixturevalue("on_rabbitmq" if role == "rabbitmq" else "on_valkey")

    cell = cells.run(system, step, role)

    run_cells.append((system, cell))
    assert cell.found == []


def test_no_guarantee_is_broken_in_the_history_of_any_job(done: Done) -> None:
    """Events, effects and documents agree; also the documents that a killed indexer had in hand are written."""
    for system, cell in done:
        system.until(
            lambda system=system, cell=cell: not cells.judge(system, cell),
            lambda system=system, cell=cell: "\n".join([cell.name, *cells.judge(system, cell)]),
        )


def test_the_jobs_that_no_fault_was_about_end_once_too(done: Done) -> None:
    """They were there all the time, some of them lost with their workers; what they did counts once."""
    for system in _systems(done):
        system.open_gate(system.bystander)
        bystander = cells.bystander(system)
        system.until(
            lambda system=system, cell=bystander: not cells.judge(system, cell),
            lambda system=system, cell=bystander: "\n".join(cells.judge(system, cell)),
        )


def test_of_jobs_that_are_written_and_forgotten_no_key_is_left(done: Done) -> None:
    """Whatever was killed while they were accepted, run, written, confirmed and forgotten."""
    for system in _systems(done):
        system.open_gate(system.bystander)
        system.until(
            lambda system=system: not system.keys_of_jobs(),
            lambda system=system: "\n".join(system.keys_of_jobs()),
        )


def test_the_page_has_each_step_and_each_role_and_no_empty_cell(run_cells: Done) -> None:
    """What is committed has the rows and columns of this run; a run of all cells fills every one."""
    page = table.page(cell for _, cell in run_cells)
    if os.environ.get("FAULT_MATRIX") == "write":
        assert len(run_cells) == len(_CELLS), "a page is written by a run of all cells, and all must pass"
        table.PAGE.write_text(page)
    committed, ours = table.read(table.PAGE.read_text()), table.read(page)

    assert [row[:2] for row in committed] == [row[:2] for row in ours]
    assert committed[0] == ours[0]
    assert [row[0] for row in committed if not all(row) or len(row) != len(ours[0])] == []
    if len(run_cells) == len(_CELLS):
        assert [row[0] for row in ours if not all(row)] == []


def _systems(done: Done) -> Iterator[FaultySystem]:
    yield from {id(system): system for system, _ in done}.values()
