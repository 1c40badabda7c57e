"""Signals that end a command, while it is loaded and after that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hysds.cli import interrupts
from hysds.cli.lazy import LazyGroup
from hysds.cli.main import main


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


_INTERRUPTED_AT = """
import signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)

MODULE = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupting())
from hysds.cli import entry
sys.exit(entry.main())
"""


@pytest.mark.parametrize("module", ["click", "hysds.cli.workers", "hysds.settings.model", "redis"])
def test_an_interrupt_while_the_program_is_loaded_shows_no_traceback(module: str, tmp_path: Path) -> None:
    """Whatever it is about to load: it ends with 130, and nothing of its inside is shown."""
    run = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_AT, module, "workers"],
        env={**os.environ, "HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": ""},
        capture_output=True,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (130, b"", b"")


def test_an_interrupt_that_python_wraps_is_one_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """What comes up while a class is made is passed on as another error."""

    def load(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()

    group = LazyGroup("hysds", entries={}, params=[click.Option(["--load"], is_flag=True, callback=load)])

    assert main(["--load"], group) == 130
    assert capsys.readouterr().err == ""


def test_a_loaded_command_hears_interrupts_as_exceptions() -> None:
    """What was begun has to be ended, so the process may not vanish any more."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupts.leave_at_once()
        interrupts.raised()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        interrupts.leave_at_once()

        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
