"""Bells reach a worker that wants them, and wait in the broker for those that don't."""

from __future__ import annotations


def test_a_worker_prepares_before_it_has_a_thread_and_takes_its_name_queues_and_slots_from_the_command(
    stage,
) -> None:
    """`-n`, `-Q` and `-c` mean what an operator knows; what `prepare` forks is forked from a single thread."""
    stage.worker("one")

    assert stage.director.events[0] == ("one", "prepared", ("MainThread",), (stage.queue,), 2)
    assert stage.director.events[1] == ("one", "started")


def test_a_bell_is_heard_and_acknowledged_before_its_job_ends(stage) -> None:
    """A job is claimed by a bell, and a worker that is killed with it leaves no message to be delivered again."""
    worker = stage.worker("one")
    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "a")

    worker.kill()
    stage.worker("two")
    stage.bell.ring(stage.queue, 1)

    stage.director.wait("two", "heard", stage.queue)
    assert stage.director.count("two", "heard", stage.queue) == 1


def test_while_the_gate_is_shut_bells_stay_for_another_worker(stage) -> None:
    """A worker that was open, and may have a pop on its way, keeps no bell once it is shut."""
    stage.worker("shut")
    stage.director.order("shut", "shut")
    stage.director.wait("shut", "shut")
    stage.worker("open")

    stage.bell.ring(stage.queue, 10)

    stage.director.wait("open", "heard", stage.queue, times=10)
    assert stage.director.count("shut", "heard", stage.queue) == 0


def test_a_full_worker_leaves_bells_to_an_idle_one(stage) -> None:
    """With both slots busy no bell is held hostage, whatever Celery's prefetch is."""
    stage.worker("full")
    stage.director.offer("a", "b")
    stage.bell.ring(stage.queue, 2)
    stage.director.wait("full", "running", "a")
    stage.director.wait("full", "running", "b")
    stage.worker("idle")

    stage.bell.ring(stage.queue, 6)

    stage.director.wait("idle", "heard", stage.queue, times=6)
    assert stage.director.count("full", "heard", stage.queue) == 2


def test_when_the_gate_opens_the_bells_that_waited_are_taken(stage) -> None:
    """Nothing but the change wakes the worker."""
    stage.worker("one")
    stage.director.order("one", "shut")
    stage.director.wait("one", "shut")
    stage.bell.ring(stage.queue, 3)

    stage.director.order("one", "open")

    stage.director.wait("one", "heard", stage.queue, times=3)


def test_when_a_job_ends_a_bell_that_waited_is_taken(stage) -> None:
    """A slot that frees opens the gate, and the bell is heard by the worker that was full."""
    stage.worker("one")
    stage.director.offer("a", "b", "c")
    stage.bell.ring(stage.queue, 3)
    stage.director.wait("one", "running", "b")

    stage.director.end("a")

    stage.director.wait("one", "running", "c")


def test_a_bell_rung_a_thousand_times_is_harmless(stage) -> None:
    """Each is heard, finds nothing and is gone; the worker takes the next job as before."""
    stage.worker("one")
    stage.bell.ring(stage.queue, 1000)
    stage.director.wait("one", "heard", stage.queue, times=1000)

    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)

    stage.director.wait("one", "running", "a")


def test_a_local_request_runs_on_the_pool_without_any_bell(stage) -> None:
    """The job worker asks for two; both claim, and no message was sent for them."""
    stage.worker("one")
    stage.director.offer("a", "b")

    stage.director.order("one", "call", stage.queue, 2)

    stage.director.wait("one", "running", "a")
    stage.director.wait("one", "running", "b")


def test_a_job_that_meets_a_defect_costs_neither_thread_nor_gate(stage) -> None:
    """`perform` raises twice, on both threads; then two more jobs run side by side."""
    stage.worker("one")
    stage.director.offer("a", "b", "c", "d")
    stage.bell.ring(stage.queue, 4)
    for job in "ab":
        stage.director.end(job, "crash")

    stage.director.wait("one", "running", "c")
    stage.director.wait("one", "running", "d")
