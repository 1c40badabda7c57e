"""A broker that goes away and comes back, under a worker that runs jobs."""

from __future__ import annotations

import signal


def test_a_worker_hears_bells_again_after_its_broker_was_restarted(own_broker, stages) -> None:
    """The running job runs on; the gate stands under the new connection as under the old one."""
    stage = stages(own_broker.url)
    stage.worker("one")
    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "a")

    own_broker.stop()
    own_broker.start()
    stage.director.offer("b")
    stage.bell.ring(stage.queue, 1)

    stage.director.wait("one", "running", "b")
    assert stage.active("one") == ["a", "b"]
    stage.worker("two")
    stage.bell.ring(stage.queue, 4)
    stage.director.wait("two", "heard", stage.queue, times=4)
    assert stage.director.count("one", "heard", stage.queue) == 2
    assert stage.director.count("one", "started") == 1


def test_local_requests_run_while_the_broker_is_away(own_broker, stages) -> None:
    """Jobs come from the ledger: a worker that asks runs them without a broker, and shows them once it is back."""
    stage = stages(own_broker.url)
    stage.worker("one")
    own_broker.stop()
    stage.director.offer("a", "b")

    stage.director.order("one", "call", stage.queue, 1)
    stage.director.wait("one", "running", "a")
    stage.director.end("a")
    stage.director.wait("one", "ended", "a")
    stage.director.order("one", "call", stage.queue, 1)
    stage.director.wait("one", "running", "b")

    own_broker.start()
    stage.director.offer("c")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "c")
    assert stage.active("one") == ["b", "c"]


def test_a_worker_drains_while_its_broker_is_away(own_broker, stages) -> None:
    """TERM needs no broker."""
    stage = stages(own_broker.url)
    worker = stage.worker("one")
    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "a")
    own_broker.stop()

    worker.signal(signal.SIGTERM)
    stage.director.wait("one", "draining")
    stage.director.end("a")

    assert worker.wait() == 0
    assert stage.director.count("one", "closed") == 1


def test_local_requests_run_while_the_broker_hangs(own_broker, stages, until) -> None:
    """Celery's loop may wait for the broker; a job worker that repeats its wish, as it does, still gets its thread."""
    stage = stages(own_broker.url)
    worker = stage.worker("one")
    own_broker.send(signal.SIGSTOP)
    for job in "abcd":
        stage.director.offer(job)

        def asked_again(job: str = job) -> bool:
            stage.director.order("one", "call", stage.queue, 1)
            return stage.director.count("one", "running", job) == 1

        until(asked_again, lambda: f"a job did not run; {worker.log}")
        stage.director.end(job)
        stage.director.wait("one", "ended", job)

    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert stage.director.count("one", "closed") == 1
