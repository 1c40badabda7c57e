"""What a call's end means."""

from __future__ import annotations

from hysds.lib.process.ending import Ending, Moment, Reason, Usage
from hysds.task_worker import outcomes


def _ending(reason: Reason) -> Ending:
    """Of a child that lived for twenty minutes before and with this call."""
    began, ended = Moment(1_000.0, 1_800_000_000.0), Moment(2_200.0, 1_800_001_200.0)
    return Ending(reason, None, None, None, "", began, ended, Usage(0.0, 0.0, 0), 0)


def test_a_stopped_task_ran_for_as_long_as_its_call_and_not_its_child() -> None:
    """A child calls one function after another, and may be hours old."""
    found = outcomes.of_death(_ending(Reason.STOPPED), "m.f", 3.5004)

    assert found.error == "was stopped after 3.5s"
