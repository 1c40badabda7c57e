"""What the warden's messages add up to, and the plan that it is given."""

from __future__ import annotations

import pytest

from hysds.embedded.events import Ended, Events
from hysds.embedded.warden.plan import Plan, Rotation, Start


def test_messages_may_be_cut_anywhere() -> None:
    """Byte by byte they say the same as at once; the end of the connection is the end."""
    text = (
        b'{"started": "valkey", "pid": 7}\n{"ready": "valkey"}\n'
        b'{"ended": "worker", "code": -9, "killed": true, "reason": "", "again_s": null}\n'
    )
    events = Events()
    for at in range(len(text)):
        events.take(text[at : at + 1])

    assert (events.pids, events.ready) == ({"valkey": 7}, {"valkey"})
    assert events.ended == {"worker": Ended("worker", -9, True, "")}
    assert not events.is_over
    events.take(b"")
    assert events.is_over


@pytest.mark.parametrize(
    ("ended", "how"),
    [
        (Ended("x", 3, False, ""), "ended with exit code 3"),
        (Ended("x", -15, False, ""), "was ended by SIGTERM"),
        (Ended("x", 127, False, "/no: No such file"), "could not be started: /no: No such file"),
    ],
)
def test_an_end_is_told_in_words(ended: Ended, how: str) -> None:
    """Exit code, signal, or why it never began."""
    assert ended.how == how


def test_a_plan_comes_through_as_it_was() -> None:
    """Encoded on one line, whatever stands in environments and paths."""
    start = Start("wörker", ["a b", "c\n"], {"K": "line\nline", "L": "\udcff"}, "/log", 1, 2.5, True)
    plan = Plan(
        start,
        "/socket",
        [start, start],
        "/home",
        "READY",
        1.0,
        2.0,
        "/door",
        "/lock",
        "/mark",
        "/warden.log",
        Rotation(1, 2),
        True,
    )

    assert plan.encode().count(b"\n") == 1
    assert Plan.decode(plan.encode()) == plan
