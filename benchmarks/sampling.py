"""How samples are taken: ours and the peer's in turn, so that what else the machine does meets both alike."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.row import Samples


def alternate(
    ours: Callable[[], float], peer: Callable[[], float], rounds: int, warm_ups: int = 0
) -> Samples:
    """So many samples of each side, one of ours and one of the peer's in turn; the warm-ups before are not kept."""
    for _ in range(warm_ups):
        ours()
        peer()
    pairs = [(ours(), peer()) for _ in range(rounds)]
    return Samples(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def duration(call: Callable[[], object]) -> float:
    """How many seconds a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def rate(call: Callable[[], object], times: int) -> float:
    """A call that does a thing so many times: how many a second."""
    return times / duration(call)
