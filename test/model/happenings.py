"""All that can happen next: to the ledger, its two workers, the bells and the user.

A bell is a number. A request may be lost (it then just was not made yet), its answer may be lost (the caller repeats
it), and a worker may die between any two steps. Time is what happens: a lease runs out whenever it likes.
"""

from __future__ import annotations

from collections.abc import Iterator

from hysds.core.requests import Committing, Standing
from hysds.core.status import Status
from model.ledger_model import LedgerModel, Step
from model.rules import Violation
from model.slim import (
    COMPLETED,
    DEAD,
    IDS,
    OWNERS,
    QUEUED,
    REVOKED,
    STARTED,
    STATUSES,
    TERMINAL,
    WAITING,
    Ledger,
    Slim,
    is_drained,
)
from model.world import (
    COMPLETES,
    ENDS,
    FAILS,
    IDLE,
    LOST,
    RELEASES,
    RETRIES,
    RUNS,
    STOPS,
    Bounds,
    Move,
    Worker,
    World,
    put,
)


class Happenings:
    """All that can happen next in a world."""

    def __init__(self, model: LedgerModel, bounds: Bounds) -> None:
        self.model = model
        self.bounds = bounds
        self.jobs = range(len(model.plans))

    def start(self) -> World:
        ledger = Ledger(tuple(Slim() for _ in self.jobs))
        return World(
            ledger,
            0,
            tuple(Worker() for _ in range(self.bounds.workers)),
            tuple(0 for _ in self.jobs),
            ledger if self.bounds.failover else None,
        )

    def is_over(self, world: World) -> bool:
        return all(slim.status in TERMINAL for slim in world.ledger.jobs)

    def now_us(self, world: World) -> int:
        base = 1_800_000_000_000_000
        if self.bounds.compares_fences:
            return base
        ledgers = (world.ledger, world.replica or world.ledger)
        fences = [slim.fence for ledger in ledgers for slim in ledger.jobs]
        fences += [fence for worker in world.workers for _, _, fence in worker.inbox]
        return max(base, *fences, *(worker.fence for worker in world.workers)) + 1

    def next(self, world: World) -> Iterator[Move]:
        now_us = self.now_us(world)
        yield from self._users(world, now_us)
        if self.bounds.drains:
            yield from self._operators(world, now_us)
        yield from self._time(world, now_us)
        for number in range(1, len(world.workers) + 1):
            worker = world.workers[number - 1]
            if worker.does == IDLE:
                yield from self._asks(world, number, worker, now_us)
            else:
                yield from self._works(world, number, worker, now_us)
            yield from self._listens(world, number, worker, now_us)
            if self.bounds.crashes and (worker != Worker() or self._owns(world, number)):
                yield ("dies", number, 0), self._crash(world, number), True

    # ---- the user, the bells, the time ---------------------------------------------------------------------------

    def _users(self, world: World, now_us: int) -> Iterator[Move]:
        for job in self.jobs:
            step = self.model.submit(world.ledger, job, now_us)
            yield ("is submitted", 0, job + 1), self._after(world, step), True
            status = world.ledger.jobs[job].status
            if self.bounds.cancels and status > 0 and not world.asked[job]:
                step = self.model.cancel(world.ledger, job, now_us)
                asks = world if status in TERMINAL else world._replace(asked=put(world.asked, job, 1))
                after = self._after(asks, step)
                yield ("is cancelled by its user", 0, job + 1), after, False
            if self.bounds.purges and status > 0:
                self.model.purge(world.ledger, job, now_us)

    def _operators(self, world: World, now_us: int) -> Iterator[Move]:
        """Orders by name; what nobody takes back some day would keep every job for ever."""
        for number in range(1, len(world.workers) + 1):
            if is_drained(world.ledger, number):
                step = self.model.undrain(world.ledger, number, now_us)
                yield ("is drained no more", number, 0), self._after(world, step), True
            else:
                step = self.model.drain(world.ledger, number, now_us)
                yield ("is drained", number, 0), self._after(world, step), False

    def _time(self, world: World, now_us: int) -> Iterator[Move]:
        if world.bells:
            yield ("a bell is lost", 0, 0), world._replace(bells=world.bells - 1), True
        if 0 < world.bells < self.bounds.bells:
            yield ("a bell is doubled", 0, 0), world._replace(bells=world.bells + 1), True
        jobs = world.ledger.jobs
        if any(slim.status == WAITING and not slim.limited and not slim.after for slim in jobs):
            step = self.model.wake(world.ledger, now_us)
            yield ("what waits is due, and woken", 0, 0), self._after(world, step), True
        if any(slim.ttl and slim.status in (QUEUED, WAITING) for slim in jobs):
            step = self.model.outlive(world.ledger, now_us)
            yield ("the ttl is over", 0, 0), self._after(world, step), False
        if self.bounds.expires:
            for job in self.jobs:
                if jobs[job].status == STARTED:
                    step = self.model.expire(world.ledger, job, now_us)
                    yield ("loses its lease, which ran out", 0, job + 1), self._after(world, step), True
        if any(slim.owner == DEAD for slim in jobs):
            yield (
                ("the dead owner is reported gone", 0, 0),
                self._after(world, self.model.gone(world.ledger, now_us)),
                True,
            )
        if world.replica is not None and world.replica != world.ledger:
            yield ("the replica catches up", 0, 0), world._replace(replica=world.ledger), True
            yield ("the ledger fails over to its replica", 0, 0), world._replace(ledger=world.replica), True

    # ---- a worker with nothing to do -------------------------------------------------------------------------------

    def _asks(self, world: World, number: int, worker: Worker, now_us: int) -> Iterator[Move]:
        if not worker.bid:
            if world.bells:
                heard = world._replace(bells=world.bells - 1)
                yield ("hears a bell and asks for work", number, 0), self._bids(heard, number, worker), True
        else:
            step = self.model.claim(world.ledger, number, worker.bid, now_us)
            after = self._after(world, step)
            won = self._won(after, number, worker, step)
            yield (
                ("is answered " + ("with a lease" if step.answer.lease else "that there is none"), number, 0),
                won,
                True,
            )
            if self.bounds.lost_answers and step.ledger != world.ledger:
                yield (
                    ("claims, and the answer is lost", number, 0),
                    self._put(after, number, self.retry(worker)),
                    True,
                )
            if self.bounds.gives_up and not worker.given:
                yield (
                    ("gives its nonce up", number, 0),
                    self._put(world, number, worker._replace(bid=0, given=worker.bid)),
                    True,
                )
        yield from self._renews(world, number, worker, None, now_us)

    def _won(self, world: World, number: int, worker: Worker, step: Step) -> World:
        if step.answer.lease is None:
            return self._put(world, number, worker._replace(bid=0))
        record = step.answer.lease.record
        job = IDS.index(record.id)
        return self._put(
            world, number, worker._replace(bid=0, does=RUNS, job=job, fence=record.fence, note=0)
        )

    # ---- a worker with a job ---------------------------------------------------------------------------------------

    def _works(self, world: World, number: int, worker: Worker, now_us: int) -> Iterator[Move]:
        if worker.does == RUNS:
            ends = [COMPLETES, FAILS]
            if self.model.plans[worker.job].retry and not world.ledger.jobs[worker.job].failed:
                ends.append(RETRIES)
            if self._may_stop(world, worker):
                ends.append(STOPS)
            if self.bounds.releases:
                ends.append(RELEASES)
            for end in ends:
                yield from self._ends(world, number, worker._replace(does=end, note=0), now_us)
            yield from self._renews(world, number, worker, (worker.job, worker.fence), now_us)
        else:
            yield from self._ends(world, number, worker, now_us)

    def _may_stop(self, world: World, worker: Worker) -> bool:
        """A cancel that it heard of; or one that nobody asked for, which the ledger must refuse."""
        if not self.bounds.inboxes or worker.note:
            return True
        return not world.ledger.jobs[worker.job].cancel

    def _ends(self, world: World, number: int, worker: Worker, now_us: int) -> Iterator[Move]:
        """A commit or a release, answered or with its answer lost."""
        lease = (worker.job, worker.fence)
        if worker.does == RELEASES:
            step = self.model.release(world.ledger, number, lease, now_us)
            done, told = step.ledger != world.ledger, "releases"
        else:
            status = self._to(worker)
            step = self.model.commit(world.ledger, number, lease, status, now_us)
            done, told = step.answer.how is Committing.DONE, "commits " + ENDS[worker.does]
            if step.answer.how is Committing.NOT_ASKED:
                return
            if worker.note and step.answer.how is not Committing.AGAIN:
                raise Violation(
                    f"{OWNERS[number]} repeated the last commit of job {worker.job + 1} and was told "
                    f"{step.answer.how.value}"
                )
        after = self._after(world, step)
        if done:
            after = self._forget_commits(after, worker.job)
        free = worker._replace(does=IDLE, job=0, fence=0, note=0)
        freed = self._bids(after, number, free) if worker.does != RELEASES else self._put(after, number, free)
        yield (told, number, worker.job + 1), freed, True
        if self.bounds.lost_answers and done:
            waits = worker._replace(note=int(worker.does != RELEASES))
            yield (
                (told + ", and the answer is lost,", number, worker.job + 1),
                self._put(after, number, waits),
                True,
            )

    def _to(self, worker: Worker) -> Status:
        retry = self.model.plans[worker.job].retry or Status.QUEUED
        return {COMPLETES: Status.COMPLETED, FAILS: Status.FAILED, RETRIES: retry, STOPS: Status.REVOKED}[
            worker.does
        ]

    def _forget_commits(self, world: World, job: int) -> World:
        """Only the last commit of a job is remembered."""
        workers = tuple(
            worker._replace(note=0) if worker.does > RUNS and worker.job == job else worker
            for worker in world.workers
        )
        return world._replace(workers=workers)

    # ---- what a worker learns --------------------------------------------------------------------------------------

    def _renews(
        self, world: World, number: int, worker: Worker, held: tuple[int, int] | None, now_us: int
    ) -> Iterator[Move]:
        step = self.model.renew(world.ledger, number, held, worker.given, now_us)
        after = self._after(world, step)
        if self.bounds.lost_answers and step.ledger != world.ledger:
            yield ("renews, and the answer is lost", number, 0), after, True
        knows = worker._replace(given=0)
        label = ("renews", number, 0)
        if held is None:
            wants = step.answer.ready and not knows.bid
            yield label, self._bids(after, number, knows) if wants else self._put(after, number, knows), True
            return
        standing = step.answer.standings[0]
        if standing is Standing.LOST:
            yield label, self._drop(after, number, knows), True
            return
        if world.asked[worker.job] and standing is not Standing.CANCEL and not self.bounds.failover:
            raise Violation(f"job {worker.job + 1} is to be cancelled, and its renewal does not say so")
        note = int(self.bounds.inboxes and (standing is Standing.CANCEL or bool(knows.note)))
        yield label, self._put(after, number, knows._replace(note=note)), True

    def _listens(self, world: World, number: int, worker: Worker, now_us: int) -> Iterator[Move]:
        for notice in worker.inbox:
            kind, job, _ = notice
            reads = worker._replace(inbox=tuple(other for other in worker.inbox if other != notice))
            after = self._put(world, number, reads)
            if worker.does == RUNS and self.means(notice, worker):
                if kind == LOST:
                    after = self._drop(world, number, reads)
                else:
                    after = self._put(world, number, reads._replace(note=1))
            yield (
                (
                    "reads in its inbox that it lost"
                    if kind == LOST
                    else "reads in its inbox of a cancel of",
                    number,
                    job + 1,
                ),
                after,
                True,
            )

    def means(self, notice: tuple[int, int, int], worker: Worker) -> bool:
        """Whether a notice is about the lease that the worker holds."""
        return notice[1:] == (worker.job, worker.fence)

    def retry(self, worker: Worker) -> Worker:
        """A bid whose answer was lost: the same nonce again."""
        return worker

    def _drop(self, world: World, number: int, worker: Worker) -> World:
        return self._bids(world, number, worker._replace(does=IDLE, job=0, fence=0, note=0))

    def _bids(self, world: World, number: int, worker: Worker) -> World:
        """A free worker always asks; with a nonce that nothing else carries."""
        used = {worker.given, *(slim.nonce for slim in world.ledger.jobs)}
        nonce = next(code for code in range(10 * number + 1, 10 * number + 9) if code not in used)
        return self._put(world, number, worker._replace(bid=nonce))

    def _crash(self, world: World, number: int) -> World:
        jobs = tuple(
            slim._replace(owner=DEAD, nonce=0) if slim.owner == number else slim for slim in world.ledger.jobs
        )
        world = world._replace(ledger=world.ledger._replace(jobs=jobs))
        return self._put(world, number, Worker())

    def _owns(self, world: World, number: int) -> bool:
        return any(slim.owner == number for slim in world.ledger.jobs)

    # ---- together --------------------------------------------------------------------------------------------------

    def _put(self, world: World, number: int, worker: Worker) -> World:
        return world._replace(workers=put(world.workers, number - 1, worker))

    def _after(self, world: World, step: Step) -> World:
        """The world after a step of the ledger: bells rung, inboxes filled."""
        if step.ledger == world.ledger:
            return world
        workers = list(world.workers)
        for number, *notice in step.notices if self.bounds.inboxes else ():
            if number <= len(workers):
                worker = workers[number - 1]
                inbox = tuple(sorted({*worker.inbox, (notice[0], notice[1], notice[2])}))
                workers[number - 1] = worker._replace(inbox=inbox)
        self._check_asked(world, step.ledger)
        bells = min(world.bells + step.made_ready, self.bounds.bells)
        return world._replace(ledger=step.ledger, workers=tuple(workers), bells=bells)

    def check(self, world: World) -> None:
        """The rules that take more than one step of the ledger to see.

        Raises: Violation.
        """
        for job, slim in enumerate(world.ledger.jobs):
            if slim.status == STARTED and slim.owner in (1, 2) and not self.bounds.failover:
                self._check_known(world.workers[slim.owner - 1], slim, job)

    def _check_asked(self, world: World, after: Ledger) -> None:
        for job, slim in enumerate(after.jobs):
            if (
                world.asked[job]
                and slim.status not in (STARTED, REVOKED, COMPLETED)
                and not self.bounds.failover
            ):
                raise Violation(f"the cancel of job {job + 1} was asked, and it is {STATUSES[slim.status]}")

    def _check_known(self, worker: Worker, slim: Slim, job: int) -> None:
        """Each live lease of a living worker is one that it holds, still asks for, or has given up and will tell of."""
        if worker.does and (worker.job, worker.fence) == (job, slim.fence):
            return
        if slim.nonce and slim.nonce in (worker.bid, worker.given):
            return
        raise Violation(f"{OWNERS[slim.owner]} owns a lease of job {job + 1} and does not know of it")
