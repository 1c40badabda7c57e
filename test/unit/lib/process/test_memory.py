"""Adding up what processes hold."""

from __future__ import annotations

import os

from hysds.lib.process.guard.memory import TreeSum


def test_a_sum_over_processes_knows_its_limit() -> None:
    """This very process holds more than a page and less than a terabyte; the dead hold nothing."""
    mine = [os.getpid()]

    assert TreeSum(4096).excess(mine) is not None
    assert TreeSum(1 << 40).excess(mine) is None
    assert TreeSum(4096).excess([2**22 + 1]) is None
