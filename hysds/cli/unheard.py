"""Queues whose ready jobs wait for a worker that is not there: of the last `hysds up`, say, that heard more of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hysds.cli import words
from hysds.core.explanation import takers
from hysds.core.floor_requests import WorkerState
from hysds.lib import machine
from hysds.lib.process.guard import tree
from hysds.lib.units import counted
from hysds.ports.ledger import QueueState

_SHOWN = 5


def told(
    queues: Iterable[QueueState],
    workers: Iterable[WorkerState],
    ours: Sequence[str],
    of_tasks: Sequence[str] = (),
) -> str:
    """A line that names them; "" where each has a worker. `ours`: the queues of the worker that was just started;
    `of_tasks`: those of workers that run tasks, by the settings."""
    heard = {*ours, *(queue for worker in workers if _lives(worker) for queue in worker.queues)}
    lacking = [one for one in queues if one.ready and not one.paused and one.queue not in heard]
    if not lacking:
        return ""
    most = sorted(lacking, key=lambda one: (-one.ready, one.queue))
    shown = [f"{words.clean(one.queue)} ({counted(one.ready, 'ready job')})" for one in most[:_SHOWN]]
    more = f" and {len(most) - _SHOWN} more" if len(most) > _SHOWN else ""
    names = [one.queue for one in most[:_SHOWN]]
    return f"no worker hears {', '.join(shown)}{more}: {'; '.join(_cures(names, of_tasks))}"


def _cures(names: Sequence[str], of_tasks: Sequence[str]) -> Iterator[str]:
    jobs, tasks = (
        ",".join(words.clean(name) for name in names if (name in of_tasks) is is_of_tasks)
        for is_of_tasks in (False, True)
    )
    if jobs:
        yield f"name them at the next `hysds up --queues`, or: hysds worker job --queues {jobs}"
    if tasks:
        yield f"where the functions of tasks are: hysds worker task --queues {tasks}"


def _lives(worker: WorkerState) -> bool:
    """One that died with the system before it stays announced for a while."""
    facts = takers.facts_of(worker)
    pid = facts.rest.get("pid")
    is_here = facts.rest.get("boot_id") == machine.this().boot_id
    is_dead = is_here and isinstance(pid, int) and not tree.is_alive(pid)
    return not takers.is_silent(worker, facts) and not is_dead
