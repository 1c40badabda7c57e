"""For which queues a bell is rung again."""

from __future__ import annotations

from hysds.ports.ledger import QueueState
from hysds.reconciler.unheard import Unheard


class Time:
    """Seconds, moved by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def _queue(name: str, ready: int = 1, paused: bool = False) -> QueueState:
    return QueueState(name, ready, paused)


def test_a_queue_that_nobody_hears_is_rung_for_once_a_bells_life() -> None:
    """Not at once: the bell of whoever submitted is still there."""
    time = Time()
    unheard = Unheard(60, time)
    queues = [_queue("gpu")]
    assert unheard.due(queues, set()) == ()

    time.now_s += 60
    assert unheard.due(queues, set()) == ("gpu",)
    time.now_s += 59
    assert unheard.due(queues, set()) == ()
    time.now_s += 1
    assert unheard.due(queues, set()) == ("gpu",)


def test_queues_that_are_heard_or_paused_or_empty_need_no_bell() -> None:
    """A worker claims by itself, and nobody may claim from a paused queue."""
    time = Time()
    unheard = Unheard(60, time)
    queues = [_queue("heard"), _queue("paused", paused=True), _queue("empty", ready=0)]
    unheard.due(queues, {"heard"})
    time.now_s += 3600

    assert unheard.due(queues, {"heard"}) == ()


def test_the_time_without_a_worker_counts_from_its_last_end() -> None:
    """A queue that was heard meanwhile waits for another whole life of a bell."""
    time = Time()
    unheard = Unheard(60, time)
    unheard.due([_queue("gpu")], set())
    time.now_s += 59
    unheard.due([_queue("gpu")], {"gpu"})
    time.now_s += 1

    assert unheard.due([_queue("gpu")], set()) == ()
