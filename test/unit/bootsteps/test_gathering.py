"""Events of jobs are sent together, and none stays behind."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from hysds.bootsteps.gathering import Gathering


class Dispatcher:
    """Celery's, as far as a gathering goes: it keeps events until it is flushed, and tells of each that it kept."""

    def __init__(self) -> None:
        self.on_send_buffered: Callable[[], None] = lambda: None
        self.buffer_limit = 24
        self.kept: list[str] = []
        self.sent: list[list[str]] = []

    def send(self, event: str) -> None:
        self.kept.append(event)
        self.on_send_buffered()

    def flush(self) -> None:
        if self.kept:
            self.sent.append(self.kept)
        self.kept = []


class Loop:
    """An event loop by hand."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.timers: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        self.timers.append(call)

    def go_round(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()

    def let_time_pass(self) -> None:
        timers, self.timers = self.timers, []
        for call in timers:
            call()


def consumer(loop: Loop, dispatcher: Dispatcher | None) -> SimpleNamespace:
    return SimpleNamespace(event_dispatcher=dispatcher, call_soon=loop.call_soon, hub=loop)


def test_events_of_a_moment_are_one_message() -> None:
    """However many come, and in whatever rounds of the loop: one message when the moment is over, in their order."""
    loop, dispatcher = Loop(), Dispatcher()
    Gathering(consumer(loop, dispatcher))

    for number in range(100):
        dispatcher.send(f"event {number}")
        loop.go_round()
    assert dispatcher.sent == []
    loop.let_time_pass()

    assert dispatcher.sent == [[f"event {number}" for number in range(100)]]


def test_an_event_after_a_message_causes_the_next() -> None:
    """Nothing waits for more to come."""
    loop, dispatcher = Loop(), Dispatcher()
    Gathering(consumer(loop, dispatcher))

    for number in range(3):
        dispatcher.send(f"event {number}")
        loop.go_round()
        loop.let_time_pass()

    assert dispatcher.sent == [["event 0"], ["event 1"], ["event 2"]]


def test_the_end_of_a_connection_leaves_no_event_behind() -> None:
    """Its timers end with it, so what was to wait for one is sent at once."""
    loop, dispatcher = Loop(), Dispatcher()
    gathering = Gathering(consumer(loop, dispatcher))
    dispatcher.send("event")

    gathering.close()

    assert dispatcher.sent == [["event"]]


def test_the_next_connection_gathers_anew() -> None:
    """Also where the last one ended while a timer was to come."""
    loop, first, second = Loop(), Dispatcher(), Dispatcher()
    Gathering(consumer(loop, first))
    first.send("event")
    lost, loop = loop, Loop()
    Gathering(consumer(loop, second))

    second.send("another")
    loop.go_round()
    loop.let_time_pass()

    assert (second.sent, lost.timers) == ([["another"]], [])


def test_a_worker_that_nobody_wants_events_of_has_nothing_to_gather() -> None:
    """Celery then has no dispatcher."""
    Gathering(consumer(Loop(), None)).close()
