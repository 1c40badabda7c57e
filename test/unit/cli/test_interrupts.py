"""Signals that end a command as Ctrl-C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from hysds.cli import interrupts


@pytest.fixture(params=[signal.SIGTERM, signal.SIGHUP])
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal, whose handling is put back."""
    before = signal.getsignal(request.param)
    yield request.param
    signal.signal(request.param, before)


def test_a_signal_interrupts_the_block_alone(number: signal.Signals) -> None:
    """In it KeyboardInterrupt; after it what was before."""
    heard: list[int] = []
    signal.signal(number, lambda number, frame: heard.append(number))
    with pytest.raises(KeyboardInterrupt), interrupts.by_signals():
        signal.raise_signal(number)
    signal.raise_signal(number)

    assert heard == [number]


def test_what_was_ignored_stays_so(number: signal.Signals) -> None:
    """`nohup hysds up` goes on when its terminal closes."""
    signal.signal(number, signal.SIG_IGN)
    with interrupts.by_signals():
        signal.raise_signal(number)

    assert signal.getsignal(number) is signal.SIG_IGN
