"""When two worlds are the same: their names settled, and what no rule can ever look at again left out."""

from __future__ import annotations

from model.slim import (
    FAILED,
    REVOKED,
    STARTED,
    TERMINAL,
    Ledger,
    Slim,
    is_drained,
)
from model.world import (
    RUNS,
    Bounds,
    Worker,
    World,
    put,
)


def canonical(world: World, bounds: Bounds) -> World:
    """The same world with its names settled: fences by equality, nonces that matter, workers in order."""
    world = _trim(world, bounds)
    if bounds.compares_fences:
        world = _rename_fences(world)
    if len(world.workers) < 2:
        return world
    first, second = (
        (*_rank(worker), is_drained(world.ledger, n)) for n, worker in enumerate(world.workers, 1)
    )
    if first == second:
        return min(world, _swapped(world))
    return world if first < second else _swapped(world)


def _trim(world: World, bounds: Bounds) -> World:
    """Without what no rule can ever look at again."""
    jobs = [_trimmed(slim, world.workers) for slim in world.ledger.jobs]
    asked = world.asked
    if any(asked):
        asked = tuple(0 if slim.status in TERMINAL else bit for slim, bit in zip(jobs, asked, strict=True))
    workers = world.workers
    if not bounds.keeps_old_notices:
        workers = tuple(
            worker._replace(inbox=_live(worker, jobs)) if worker.inbox else worker for worker in workers
        )
    ledger = world.ledger._replace(jobs=tuple(jobs))
    return World(ledger, world.bells, workers, asked, world.replica)


def _trimmed(slim: Slim, workers: tuple[Worker, ...]) -> Slim:
    if slim.status == FAILED:
        return slim._replace(status=REVOKED)
    if slim.nonce and slim.status == STARTED:
        worker = workers[slim.owner - 1] if slim.owner <= len(workers) else Worker()
        if slim.nonce not in (worker.bid, worker.given):
            return slim._replace(nonce=0)
    return slim


def _live(worker: Worker, jobs: list[Slim]) -> tuple[tuple[int, int, int], ...]:
    return tuple(
        notice
        for notice in worker.inbox
        if (worker.does == RUNS and notice[1:] == (worker.job, worker.fence))
        or (jobs[notice[1]].fence == notice[2] and jobs[notice[1]].status == STARTED and worker.bid)
    )


def _rename_fences(world: World) -> World:
    jobs, workers = list(world.ledger.jobs), list(world.workers)
    for job, slim in enumerate(jobs):
        used = {worker.fence for worker in workers if worker.does and worker.job == job}
        used |= {fence for worker in workers for _, of, fence in worker.inbox if of == job}
        replica = world.replica.jobs[job] if world.replica is not None else None
        if replica is not None:
            used |= {replica.fence, replica.committed}
        live = slim.status == STARTED
        fence = slim.fence if live or slim.fence in used else 0
        committed = slim.committed if slim.committed in used else 0
        used |= {0, fence, committed}
        if (fence, committed) == (slim.fence, slim.committed) and max(used) == len(used) - 1:
            continue
        names = {code: rank for rank, code in enumerate(sorted(used))}
        jobs[job] = slim._replace(fence=names[fence], committed=names[committed])
        workers = [_renamed(worker, job, names) for worker in workers]
        if replica is not None and world.replica is not None:
            renamed = replica._replace(fence=names[replica.fence], committed=names[replica.committed])
            world = world._replace(replica=world.replica._replace(jobs=put(world.replica.jobs, job, renamed)))
    ledger = world.ledger._replace(jobs=tuple(jobs))
    return World(ledger, world.bells, tuple(workers), world.asked, world.replica)


def _rank(worker: Worker) -> tuple[object, ...]:
    """By what workers are put in order: all that is not their name."""
    return (*worker[2:], worker.bid % 10, worker.given % 10)


def _renamed(worker: Worker, job: int, names: dict[int, int]) -> Worker:
    if worker.does and worker.job == job:
        worker = worker._replace(fence=names[worker.fence])
    if worker.inbox:
        inbox = tuple((kind, of, names[fence] if of == job else fence) for kind, of, fence in worker.inbox)
        worker = worker._replace(inbox=inbox)
    return worker


_OTHER = (0, 2, 1, 3)


def _swapped(world: World) -> World:
    """The two workers are alike: their names may be exchanged."""
    first, second = world.workers
    return World(
        _ledger_swapped(world.ledger),
        world.bells,
        (_nonces_swapped(second), _nonces_swapped(first)),
        world.asked,
        _ledger_swapped(world.replica) if world.replica is not None else None,
    )


def _ledger_swapped(ledger: Ledger) -> Ledger:
    jobs = tuple(
        slim._replace(owner=_OTHER[slim.owner], nonce=_nonce_swapped(slim.nonce))
        if slim.owner or slim.nonce
        else slim
        for slim in ledger.jobs
    )
    return ledger._replace(jobs=jobs, drained=_OTHER[ledger.drained])


def _nonces_swapped(worker: Worker) -> Worker:
    if not worker.bid and not worker.given:
        return worker
    return Worker(_nonce_swapped(worker.bid), _nonce_swapped(worker.given), *worker[2:])


def _nonce_swapped(nonce: int) -> int:
    return _OTHER[nonce // 10] * 10 + nonce % 10 if nonce else 0
