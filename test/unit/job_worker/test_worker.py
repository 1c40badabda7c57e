"""A job worker over a ledger in memory: claims, leases, cancels, drains. No Celery, no process."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from hysds.core.status import Status
from unit.job_worker.world import World


def test_an_idle_worker_hears_of_a_job_through_its_inbox(world: World) -> None:
    """No bell: the ledger wakes the announced worker in the step that accepts the job."""
    world.start()
    assert world.engine.beats.acquire(timeout=30)
    job_id = world.submit()

    world.engine.running(job_id).over.set()

    world.until(job_id, Status.COMPLETED)
    assert world.shown == [job_id]


def test_work_that_was_there_before_the_worker_is_found_by_its_first_renewal(world: World) -> None:
    """A worker that starts has missed every bell."""
    jobs = [world.submit(), world.submit()]
    world.start()

    for job_id in jobs:
        world.engine.running(job_id).over.set()
        world.until(job_id, Status.COMPLETED)


def test_the_end_of_one_job_begins_the_next(world: World) -> None:
    """The commit carries the next bid: three jobs on two slots, nobody rings."""
    world.start()
    jobs = [world.submit() for _ in range(3)]
    first, second = (world.engine.running(job_id) for job_id in jobs[:2])
    assert world.status(jobs[2]) is Status.QUEUED

    first.over.set()

    world.engine.running(jobs[2]).over.set()
    second.over.set()
    for job_id in jobs:
        world.until(job_id, Status.COMPLETED)


def test_a_cancel_stops_the_running_job(world: World) -> None:
    """The inbox hurries it, the record decides: it ends revoked."""
    world.start()
    job_id = world.submit()
    held = world.engine.running(job_id)
    world.until(job_id, Status.STARTED)

    world.ledger.cancel([job_id])

    world.until(job_id, Status.REVOKED)
    assert held.stopped == (0.2, "cancel")


def test_a_lost_lease_stops_the_job_and_commits_nothing(world: World) -> None:
    """Its successor may run elsewhere: this attempt's end is nobody's business any more."""
    world.start()
    job_id = world.submit()
    held = world.engine.running(job_id)
    world.until(job_id, Status.STARTED)
    fence = world.ledger.book.records[job_id].fence

    world.ledger.leave("w@test/1")

    assert held.over.wait(30)
    assert held.stopped is None or held.stopped[1] == "lost"
    [attempt] = world.ledger.book.attempts[job_id]
    assert (attempt.fence, attempt.how) == (fence, "worker-lost")


def test_a_drain_gives_unfinished_jobs_back(world: World) -> None:
    """No attempt is burned, the job keeps its place, and nothing more is claimed."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)
    waiting = world.submit(shape="2s")
    done = threading.Event()

    world.worker.drain(done.set)

    assert done.wait(30)
    record = world.ledger.book.records[job_id]
    assert (record.status, record.fails, world.worker.is_open()) == (Status.QUEUED, "", False)
    assert world.status(waiting) is Status.QUEUED
    assert [attempt.how for attempt in world.ledger.book.attempts[job_id]] == ["released"]


def test_a_job_that_needs_two_slots_waits_for_both(world: World) -> None:
    """And blocks nobody who fits beside."""
    world.start()
    small = world.submit()
    held = world.engine.running(small)
    big = world.submit(shape="2s")
    assert world.status(big) is Status.QUEUED

    held.over.set()

    world.engine.running(big).over.set()
    world.until(big, Status.COMPLETED)


def test_a_thousand_bells_for_one_job_run_it_once(world: World) -> None:
    """A bell says that there may be work, no more."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)

    answers = {world.worker.perform("q", world.shown.append) for _ in range(1000)}

    assert answers == {None}
    world.engine.running(job_id).over.set()
    world.until(job_id, Status.COMPLETED)
    assert len(world.ledger.book.attempts[job_id]) == 1


def test_a_directory_that_can_t_be_written_fails_the_attempt_with_its_reason(tmp_path: Path) -> None:
    """The job is tried again later, as its environment's budget says, and the document tells why."""
    world = World(tmp_path)
    try:
        (tmp_path / "work" / "jobs").write_text("in the way")
        job_id = world.submit()
        assert world.worker.perform("q", world.shown.append) == job_id

        record = world.ledger.book.records[job_id]
        assert (record.status, record.fails) == (Status.WAITING, "e1")
        [attempt] = world.ledger.book.attempts[job_id]
        assert attempt.how == "environment"
        assert "prepare: " in attempt.detail
    finally:
        world.worker.close()


def test_a_job_that_does_away_with_all_work_directories_ends_all_the_same(world: World) -> None:
    """Its commit carries a bid, and a bid measures the disk: the end of the job must not depend on that."""
    world.start()
    job_id = world.submit()
    held = world.engine.running(job_id)

    (world.home / "work").rename(world.home / "gone")
    held.over.set()

    world.until(job_id, Status.COMPLETED)


def test_a_monitor_that_fails_does_not_cost_the_job_its_run(world: World) -> None:
    """Celery's events travel through the broker, which may be away."""

    def fail(job_id: str) -> None:
        raise OSError("the broker is away")

    job_id = world.submit()
    thread = threading.Thread(target=world.worker.perform, args=("q", fail))
    thread.start()
    world.engine.running(job_id).over.set()
    thread.join()

    assert world.status(job_id) is Status.COMPLETED
    assert len(world.ledger.book.attempts[job_id]) == 1


def test_a_request_that_could_not_be_made_is_asked_for_again(world: World) -> None:
    """The job waits a renewal longer, and no thread of the worker dies of it."""
    world.lost_calls = 3
    job_id = world.submit()
    world.start()

    world.engine.running(job_id).over.set()

    world.until(job_id, Status.COMPLETED)


def test_a_lease_in_hand_whose_request_got_lost_is_asked_for_again(tmp_path: Path) -> None:
    """It was won with the commit of the job before; its slot is taken and its lease renewed, so nobody else helps."""
    world = World(tmp_path, slots=1)
    try:
        world.start()
        first = world.submit()
        held = world.engine.running(first)
        second = world.submit()
        world.lost_calls = 2

        held.over.set()

        world.engine.running(second).over.set()
        world.until(second, Status.COMPLETED)
        assert world.lost_calls == 0
    finally:
        world.close()


def test_an_end_is_recorded_also_where_the_bid_that_it_carries_is_refused(world: World) -> None:
    """The step happens whole or not at all: a broken ready list must not have every job run again and again."""
    world.ledger.refuses_bids = True
    world.start()
    job_id = world.submit()

    world.engine.running(job_id).over.set()

    world.until(job_id, Status.COMPLETED)
    assert [attempt.how for attempt in world.ledger.book.attempts[job_id]] == ["job-completed"]


def test_a_job_stopped_by_a_cancel_that_the_ledger_forgot_goes_back(world: World) -> None:
    """A failover may forget it; a revocation that nobody asked for is refused, and the job is not lost over it."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)
    world.until(job_id, Status.STARTED)
    fence = world.ledger.book.records[job_id].fence
    with world.ledger.changed:
        world.ledger.book.floor.inboxes["w@test/1"] = (f"cancel {job_id} {fence}",)
        world.ledger.changed.notify_all()

    with world.ledger.changed:
        attempts = world.ledger.book.attempts
        assert world.ledger.changed.wait_for(lambda: job_id in attempts, 30)

    assert [attempt.how for attempt in attempts[job_id]][:1] == ["released"]


def test_a_drain_ends_while_the_ledger_is_away(world: World) -> None:
    """Whoever stops the worker kills it in the end; what it could not tell, the ledger finds when leases run out."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)
    world.ledger.is_away.set()
    done = threading.Event()

    world.worker.drain(done.set)

    assert done.wait(30)
    assert world.status(job_id) is Status.STARTED


def test_what_a_late_answer_wins_during_a_drain_goes_back_unrun(tmp_path: Path) -> None:
    """The bid was under way when the drain began, and the ledger answered it later."""
    world = World(tmp_path, slots=1, renew_interval_s=2.0)
    try:
        world.start()
        first = world.submit()
        held = world.engine.running(first)
        second = world.submit()
        world.ledger.is_away.set()
        held.over.set()
        assert world.ledger.tried.acquire(timeout=30)
        done = threading.Event()

        world.worker.drain(done.set)
        world.ledger.is_away.clear()

        assert done.wait(30)
        assert (world.status(first), world.status(second)) == (Status.COMPLETED, Status.QUEUED)
        assert [attempt.how for attempt in world.ledger.book.attempts[second]] == ["released"]
        assert second not in world.shown
    finally:
        world.close()


def test_with_all_notices_lost_and_half_of_the_requests_every_job_runs(tmp_path: Path) -> None:
    """Renewals alone find the work, of any size, and ask again for what nobody took up."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    world = World(tmp_path, slots=3, renew_interval_s=0.05)
    world.ledger.loses_notices = True
    world.swallows = lambda: chance.random() < 0.5
    try:
        world.start()
        jobs = [world.submit(shape=f"{chance.randrange(1, 4)}s") for _ in range(40)]
        waiting = set(jobs)
        while waiting:
            with world.engine.news:
                assert world.engine.news.wait_for(lambda: waiting & set(world.engine.started), 30), waiting
                began = sorted(waiting & set(world.engine.started))
            ending = chance.choice(began)
            waiting.discard(ending)
            world.engine.started[ending].over.set()
        for job_id in jobs:
            world.until(job_id, Status.COMPLETED)
    finally:
        world.close()

    assert {len(attempts) for attempts in world.ledger.book.attempts.values()} == {1}
