"""How many bells ring for what became ready, and what a broker that is away costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.adapters.bell.memory import MemoryBell
from hysds.core.errors import Unreachable
from hysds.core.requests import Ready
from hysds.dispatcher import MAX_BELLS, Dispatcher, bells

READY = st.builds(
    lambda queue, jobs, heard, hearers: Ready(queue, jobs, max(jobs - heard, 0), hearers),
    st.sampled_from(["cpu", "gpu"]),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.integers(0, 3),
)


class DeadBell:
    """A bell whose broker is away."""

    def __init__(self) -> None:
        self.asked = 0

    def ring(self, queue: str, times: int) -> None:
        self.asked += 1
        raise Unreachable("broker", "nobody answers")

    def waiting(self, queue: str) -> int:
        raise Unreachable("broker", "nobody answers")

    def close(self) -> None:
        """Nothing is open."""


def test_nothing_rings_when_idle_workers_were_woken_for_all_jobs() -> None:
    """A job that an announced idle worker was woken for needs no bell."""
    assert bells([Ready("gpu", jobs=3, unheard=0, hearers=1)]) == {}


def test_nothing_rings_for_workers_that_are_announced_and_full() -> None:
    """Full workers claim when a slot frees; a bell would only wait in front of them."""
    assert bells([Ready("gpu", jobs=9, unheard=7, hearers=2)]) == {}


def test_one_bell_rings_for_a_batch_that_nobody_announced_hears() -> None:
    """A worker may listen that has not announced itself yet; whoever hears claims until nothing fits."""
    assert bells([Ready("gpu", jobs=500, unheard=500, hearers=0)]) == {"gpu": 1}


def test_a_queue_that_a_batch_names_twice_is_rung_as_one() -> None:
    """A large batch reaches the ledger in chunks; its queue still gets one bell."""
    chunks = [Ready("gpu", 500, 500, 0), Ready("cpu", 1, 1, 0), Ready("gpu", 500, 500, 0)]

    assert bells(chunks) == {"gpu": 1, "cpu": 1}


@given(st.lists(READY))
def test_bells_are_capped_and_never_more_than_the_jobs_that_nobody_heard(ready: list[Ready]) -> None:
    """For any batch: at most the cap, at most the unheard jobs, and no queue that nobody made ready."""
    for queue, times in bells(ready).items():
        unheard = sum(item.unheard for item in ready if item.queue == queue)
        assert 1 <= times <= min(MAX_BELLS, unheard)


def test_the_dispatcher_rings_what_the_rule_says() -> None:
    """One batch for three queues rings the one that nobody announced hears."""
    bell = MemoryBell()
    batch = [Ready("cpu", 2, 0, 1), Ready("gpu", 5, 5, 0), Ready("io", 5, 5, 1)]

    assert Dispatcher(bell).ring(batch) is None
    assert {queue: bell.take(queue) for queue in ("cpu", "gpu", "io")} == {"cpu": 0, "gpu": 1, "io": 0}


def test_a_broker_that_is_away_raises_nothing_and_is_answered_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The submitter's jobs are in the ledger: the failure is a value and a warning, asked for once a batch."""
    bell = DeadBell()

    unreachable = Dispatcher(bell).ring([Ready("cpu", 1, 1, 0), Ready("gpu", 1, 1, 0)])

    assert unreachable is not None
    assert unreachable.part == "broker"
    assert bell.asked == 1
    assert "queue cpu has work" in caplog.text


def test_a_bell_is_rung_again_only_where_none_lies() -> None:
    """A queue that nobody hears holds one bell, not one more each time that somebody looks."""
    bell = MemoryBell()
    dispatcher = Dispatcher(bell)

    assert dispatcher.ring_again("gpu")
    assert not dispatcher.ring_again("gpu")
    assert bell.take("gpu") == 1
    assert dispatcher.ring_again("gpu")


def test_a_broker_that_is_away_is_no_error_when_ringing_again() -> None:
    """The next time comes."""
    assert not Dispatcher(DeadBell()).ring_again("gpu")
