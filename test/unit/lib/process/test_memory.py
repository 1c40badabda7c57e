"""Adding up what processes hold."""

from __future__ import annotations

import os

from hysds.lib.process.guard.memory import TreeSum


def test_a_sum_over_processes_knows_its_limit() -> None:
    """This very process holds more than a page and less than a terabyte; the dead hold nothing."""

    assert TreeSum(4096).excess(lambda: [os.getpid()]) is not None
    assert TreeSum(1 << 40).excess(lambda: [os.getpid()]) is None
    assert TreeSum(4096).excess(lambda: [2**22 + 1]) is None
