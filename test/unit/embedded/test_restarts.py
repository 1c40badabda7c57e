"""When a process that ended is started again."""

from __future__ import annotations

from hysds.embedded.warden.restarts import LONGEST_S, STEADY_S, Restarts


def test_each_end_in_a_row_doubles_the_delay_up_to_a_bound() -> None:
    """From a tenth of a second to half a minute, and no further however often it ends."""
    restarts = Restarts()
    delays = [restarts.delay_s(0) for _ in range(2_000)]

    assert [round(delay, 1) for delay in delays[:10]] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    assert delays[-1] == LONGEST_S


def test_who_ran_well_for_a_while_starts_at_once_again() -> None:
    """A crash a day is always a first one; one that comes a little sooner than that is not."""
    restarts = Restarts()
    delays = [restarts.delay_s(lived_s) for lived_s in (0, 0, STEADY_S - 1, STEADY_S, 0)]

    assert [round(delay, 1) for delay in delays] == [0.1, 0.2, 0.4, 0.1, 0.2]
