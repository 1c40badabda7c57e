"""The shared page of signs of life."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hysds.lib.process.guard.beats import Beats
from hysds.lib.process.guard.wire import Reason, boot_s


@pytest.fixture
def sides() -> Iterator[tuple[Beats, Beats]]:
    """The worker's view of a page and the keeper's."""
    fd = Beats.create()
    try:
        yield Beats(fd), Beats(fd)
    finally:
        os.close(fd)


def test_a_beat_is_seen_on_the_other_side(sides: tuple[Beats, Beats]) -> None:
    """And moves the time at which the worker counts as silent."""
    worker, keeper = sides
    before = boot_s()
    worker.beat()
    silent_at = keeper.silent_at(10)

    assert silent_at is not None
    assert before + 10 <= silent_at + 1e-6 <= boot_s() + 10 + 1e-6


def test_isolation_lasts_until_connected(sides: tuple[Beats, Beats]) -> None:
    """A worker that reaches its ledger is not isolated at any time."""
    worker, keeper = sides
    times = [keeper.isolated_at(10)]
    worker.isolate(100.5)
    times.append(keeper.isolated_at(10))
    worker.connect()
    times.append(keeper.isolated_at(10))

    assert times == [None, 110.5, None]


def test_isolation_counts_from_when_the_ledger_was_reached_for_a_command(sides: tuple[Beats, Beats]) -> None:
    """A claim was answered, and no renewal has said yet that the isolation before it is over."""
    worker, keeper = sides
    worker.isolate(100.5)

    assert keeper.isolated_at(10, reached_s=140) == 150
    assert keeper.isolated_at(10, reached_s=90) == 110.5


def test_no_limit_is_never_reached(sides: tuple[Beats, Beats]) -> None:
    """None means for ever."""
    worker, keeper = sides
    worker.isolate(100)

    assert (keeper.silent_at(None), keeper.isolated_at(None)) == (None, None)


@pytest.mark.parametrize("reason", [Reason.WORKER_GONE, Reason.SILENT])
def test_the_guardian_tells_why_it_ends_everything(sides: tuple[Beats, Beats], reason: Reason) -> None:
    """None while it does not."""
    guardian, keeper = sides
    before = keeper.closing
    guardian.close(reason)

    assert (None, reason) == (before, keeper.closing)
