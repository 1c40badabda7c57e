"""The drain: an operator's order and the way out, one way for both. No Celery, no process."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.record import FOREVER
from hysds.core.status import Status
from hysds.leasing import draining
from hysds.settings.model import Settings
from unit.job_worker.world import World


def gate(state: WorkerState) -> str:
    return str(json.loads(state.facts)["gate"])


def is_drained(state: WorkerState) -> bool:
    return state.slots == 0 and gate(state) == "draining: new kernel"


def order(within_ms: int = FOREVER) -> Drain:
    return Drain("w@test", "new kernel", within_ms=within_ms)


def test_an_order_shuts_the_gate_and_lets_running_jobs_end(world: World) -> None:
    """Without a deadline they end by themselves; nothing more is taken, and the announcement says why."""
    world.start()
    running = world.submit()
    held = world.engine.running(running)

    world.ledger.drain(order())
    world.announced(is_drained)
    waiting = world.submit()

    assert world.worker.perform("q", world.shown.append) is None
    held.over.set()
    world.until(running, Status.COMPLETED)
    assert (world.worker.is_open(), world.status(waiting)) == (False, Status.QUEUED)


def test_a_worker_works_again_when_the_order_is_taken_back(world: World) -> None:
    """It looks for work by itself: nobody rings, and the job waited since before."""
    world.start()
    world.ledger.drain(order())
    world.announced(is_drained)
    job_id = world.submit()

    world.ledger.undrain("w@test")

    world.engine.running(job_id).over.set()
    world.until(job_id, Status.COMPLETED)
    world.announced(lambda state: (state.slots, gate(state)) == (2, "open"))


def test_at_the_deadline_of_an_order_jobs_are_stopped_and_given_back(world: World) -> None:
    """It counts from the order by the ledger's time; no attempt is burned, and the worker stays."""
    world.start()
    job_id = world.submit()
    held = world.engine.running(job_id)
    world.until(job_id, Status.STARTED)

    world.ledger.drain(order(within_ms=1))

    world.until(job_id, Status.QUEUED)
    record = world.ledger.book.records[job_id]
    assert (held.stopped, record.fails) == ((0.2, "drain"), "")
    assert [attempt.how for attempt in world.ledger.book.attempts[job_id]] == ["released"]
    world.announced(is_drained)


def test_an_order_taken_back_before_its_deadline_stops_nothing(world: World) -> None:
    """The job that ran when it was given runs on."""
    world.start()
    job_id = world.submit()
    held = world.engine.running(job_id)
    world.ledger.drain(order(within_ms=3_600_000))
    world.announced(is_drained)

    world.ledger.undrain("w@test")
    world.announced(lambda state: gate(state) == "open")
    held.over.set()

    world.until(job_id, Status.COMPLETED)
    assert held.stopped is None


def test_a_deadline_that_could_not_be_asked_for_is_asked_for_again(world: World) -> None:
    """The ledger says what time it is; it was away for a moment."""
    world.start()
    job_id = world.submit()
    world.engine.running(job_id)
    world.until(job_id, Status.STARTED)
    world.ledger.clock_fails = 2

    world.ledger.drain(order(within_ms=1))

    world.until(job_id, Status.QUEUED)
    assert world.ledger.clock_fails == 0


def test_a_worker_that_starts_while_its_name_is_drained_claims_nothing(world: World) -> None:
    """The order outlives the process that it was given to."""
    world.ledger.drain(order())
    job_id = world.submit()
    world.start()
    world.announced(is_drained)

    assert world.worker.perform("q", world.shown.append) is None
    assert world.status(job_id) is Status.QUEUED
    world.ledger.undrain("w@test")
    world.engine.running(job_id).over.set()
    world.until(job_id, Status.COMPLETED)


def test_sigterm_during_an_order_drains_by_the_earlier_deadline_and_leaves(tmp_path: Path) -> None:
    """The order would let the job run for ever; the worker leaves all the same."""
    world = World(tmp_path, drain_timeout_s=0.0)
    try:
        world.start()
        job_id = world.submit()
        world.engine.running(job_id)
        world.ledger.drain(order())
        world.announced(is_drained)
        done = threading.Event()

        world.worker.drain(done.set)

        assert done.wait(30)
        assert world.status(job_id) is Status.QUEUED
        assert [attempt.how for attempt in world.ledger.book.attempts[job_id]] == ["released"]
    finally:
        world.close()


def test_an_order_taken_back_does_not_reopen_a_worker_that_leaves(tmp_path: Path) -> None:
    """It was told to go."""
    world = World(tmp_path, drain_timeout_s=3600.0)
    try:
        world.start()
        job_id = world.submit()
        held = world.engine.running(job_id)
        world.ledger.drain(order())
        world.announced(is_drained)
        done = threading.Event()
        world.worker.drain(done.set)

        world.ledger.undrain("w@test")
        world.announced(lambda state: state.drain is None and gate(state).startswith("draining"))

        assert not world.worker.is_open()
        held.over.set()
        assert done.wait(30)
        assert world.status(job_id) is Status.COMPLETED
    finally:
        world.close()


def test_what_a_bid_wins_when_the_drain_has_begun_goes_back_unrun(tmp_path: Path) -> None:
    """The ledger answers late; the job never starts here."""
    world = World(tmp_path, slots=1)
    try:
        job_id = world.submit()
        world.ledger.before_answer = lambda: world.worker.drain(lambda: None)

        assert world.worker.perform("q", world.shown.append) is None

        assert (world.status(job_id), world.shown) == (Status.QUEUED, [])
    finally:
        world.close()


@pytest.mark.parametrize(("timeout_s", "grace_s"), [(60.0, 10.0)])
def test_a_worker_is_gone_before_systemd_would_kill_it(timeout_s: float, grace_s: float) -> None:
    """At the default settings the bound lies below systemd's own default of 90 s."""
    worker = Settings(home=Path("/nonexistent")).worker

    assert (worker.drain_timeout_s, worker.stop_grace_s) == (timeout_s, grace_s)
    assert draining.longest_s(timeout_s, grace_s) < 90
